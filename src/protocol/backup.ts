import * as z from "zod";

/**
 * Backups as the supervisor and the Worker speak of them: `http://backup.moltworker.internal`, with
 * the boot document's control token as Bearer. What lies in the bucket is described in
 * `docs/storage.md`.
 *
 * | route | does |
 * |---|---|
 * | `GET /v1/plan` | `RestorePlan`: the generation to restore, or that there is none |
 * | `GET /v1/packs/<pack>` | one pack, decrypted, or for who accepts `STORED_PACK` as it is stored, with its key in `FILE_KEY_HEADER`; only while a restore or a drill is open |
 * | `POST /v1/packs/<pack>/check` | tells a damaged pack from a read that broke off |
 * | `POST /v1/outcome` | `RestoreOutcome`, answered with `OutcomeReply` |
 * | `POST /v1/generations` | reserves the next number: `ReserveReply` |
 * | `PUT /v1/packs/<pack>` | stores one pack of a reserved number; never overwrites |
 * | `POST /v1/generations/<n>` | `CommitRequest`: the generation becomes the newest |
 *
 * | `GET /v1/import` | `ImportPlan`: an archive from elsewhere that waits to be taken in |
 * | `GET /v1/import/<part>` | its bytes, from part 0 on |
 * | `POST /v1/import/refused` | `ImportOutcome`: it is not taken in, and why |
 *
 * A refusal is `BackupRefusal` with a status that fits it.
 */
export const BACKUP_FORMAT = 1;

/**
 * The file key (16 bytes, in base64) of a pack that is encrypted: it opens this pack and no other, and
 * nothing can be made with it that another key opens. https://age-encryption.org/v1, "File key"
 */
export const FILE_KEY_HEADER = "X-Moltworker-File-Key";
/** The type of a file in the age format, which has no registered one. */
export const STORED_PACK = "application/x-age";

/** Where the file list lies in a generation's last pack. */
export const LIST_ENTRY = ".moltworker/generation.json";
/** Parts of large files: `<prefix><path>/<eight digits>`. */
export const PARTS_PREFIX = ".moltworker/parts/";
export const STATE_FOLDER = ".openclaw";

/** Uncompressed bytes after which the supervisor begins another pack. */
export const PACK_TARGET_BYTES = 16 * 1024 * 1024;
/** The largest stored pack the Worker takes: a whole pack that does not compress, and its framing. */
export const PACK_MAX_BYTES = 24 * 1024 * 1024;
export const MAX_FILES = 200_000;

/** What a supervisor may say of a generation that it makes. */
const MADE_REASONS = ["change", "final", "manual", "recovery", "import"] as const;
export type Reason = (typeof MADE_REASONS)[number];

/** `restore` and `afresh` are an admin's decisions: only the Worker makes such generations. */
export const REASONS = [...MADE_REASONS, "restore", "afresh"] as const;

const count = z.number().int().nonnegative();
const generationNumber = z.number().int().positive();
export const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);

/** `<generation>.<index>`: a pack is named by the generation that brought it. */
export const packId = z.string().regex(/^[1-9]\d{0,9}\.\d{1,4}$/);
export type PackId = z.infer<typeof packId>;

/** A path below the agent's home, in the state folder, that cannot point anywhere else. */
export const statePath = z.string().refine(isStatePath, "is not a path in the state folder");

export function isStatePath(path: string): boolean {
  if (path.length > 4096 || path.includes("\0")) return false;
  const segments = path.split("/");
  if (segments[0] !== STATE_FOLDER) return false;
  return segments.every((segment) => segment !== "" && segment !== "." && segment !== "..");
}

const mode = z.number().int().min(0).max(0o777);

const fileHead = {
  path: statePath,
  mode,
  /** Milliseconds since the epoch; told to people, never used to decide what changed. */
  modified: z.number().nonnegative(),
  size: count,
  /** An SQLite database, copied consistently. */
  database: z.literal(true).optional(),
};

/** One file of the complete list. Pack numbers are positions in the list's `packs`. */
export const listedFile = z.union([
  z.strictObject({ ...fileHead, sha256: sha256Hex, pack: count }),
  z.strictObject({
    ...fileHead,
    partSize: z.number().int().min(4096),
    parts: z.array(z.tuple([sha256Hex, count])).max(1_000_000),
  }),
]);
export type ListedFile = z.infer<typeof listedFile>;

/** The complete state at one generation: every file, and which pack holds its content. */
export const fileList = z.strictObject({
  format: z.literal(BACKUP_FORMAT),
  agentId: z.string(),
  generation: generationNumber,
  /** The generation this one was made on; 0 for the first. */
  parent: count,
  /** Milliseconds since the epoch. */
  at: z.number(),
  reason: z.enum(REASONS),
  /** Every pack that a restore of this generation reads. */
  packs: z.array(packId).max(20_000),
  /** Of packs that are encrypted, as far as it is known: SHA-256 of the age header and the nonce behind it. */
  seals: z.partialRecord(packId, sha256Hex).optional(),
  folders: z.array(z.strictObject({ path: statePath, mode })).max(MAX_FILES),
  links: z.array(z.strictObject({ path: statePath, target: z.string().max(4096) })).max(MAX_FILES),
  files: z.array(listedFile).max(MAX_FILES),
});
export type FileList = z.infer<typeof fileList>;

/** What a restore needs to begin: the list is in `listPack`, everything else follows from it. */
export const restorePlan = z.discriminatedUnion("outcome", [
  /** Provably nothing to restore; `generation` is 0, or that of the decision to start afresh. */
  z.object({ outcome: z.literal("empty"), generation: count }),
  z.object({
    outcome: z.literal("restore"),
    generation: generationNumber,
    listPack: packId,
    listSha256: sha256Hex,
    packs: z.array(packId),
    /** Newer generations that are known to be damaged, newest first. */
    passedOver: z.array(z.object({ generation: generationNumber, listSha256: sha256Hex })),
  }),
]);
export type RestorePlan = z.infer<typeof restorePlan>;

/**
 * How a restore or a drill of one generation ended. `damaged` is said only of content that was read
 * and is wrong or provably absent: whatever could not be read is an error and is tried again.
 */
export const restoreOutcome = z.discriminatedUnion("outcome", [
  z.object({ outcome: z.literal("restored"), generation: count }),
  z.object({
    outcome: z.literal("damaged"),
    generation: generationNumber,
    pack: packId.optional(),
    problem: z.string().max(1000),
  }),
]);
export type RestoreOutcome = z.infer<typeof restoreOutcome>;

/**
 * After `restored`: the newest generation from now on, which the next commit builds on. After
 * `damaged`: the newest older generation that does not need what was found damaged, if there is one.
 */
export const outcomeReply = z.object({
  generation: count.optional(),
  next: restorePlan.optional(),
});
export type OutcomeReply = z.infer<typeof outcomeReply>;

export const reserveReply = z.object({
  generation: generationNumber,
  /** Of the present key, when there is one. */
  recipient: z.string().max(4096).optional(),
});
export type ReserveReply = z.infer<typeof reserveReply>;

export const changeSummary = z.object({
  /** Files with new content, without content any more, and the bytes of new content. */
  changed: count,
  removed: count,
  bytes: count,
  /** A few of the changed paths, for people. */
  paths: z.array(z.string().max(200)).max(5),
});

export const commitRequest = z.strictObject({
  /** The newest generation when the changes were computed; 0 when there was none. */
  parent: count,
  reason: z.enum(MADE_REASONS),
  packs: z
    .array(z.strictObject({ id: packId, size: count, sha256: sha256Hex }))
    .min(1)
    .max(10_000),
  /** Every pack that a restore reads, this generation's own among them. */
  needs: z.array(packId).max(20_000),
  listSha256: sha256Hex,
  recipient: z.string().max(4096).optional(),
  files: count,
  /** Size of the whole state. */
  bytes: count,
  changes: changeSummary,
  /** The waiting archive that its content comes from. */
  imported: z.string().max(200).optional(),
});
export type CommitRequest = z.infer<typeof commitRequest>;

export const REFUSALS = [
  /** Not the control token of a running sandbox. */
  "unauthorised",
  /** A newer sandbox of this agent has begun: this one can never commit again. */
  "stale",
  /** The newest generation is another one than the caller built on. */
  "parent",
  /** The number or the pack is taken. */
  "exists",
  /** Bytes or commits per hour are used up. */
  "bounded",
  /** The request makes no sense. */
  "invalid",
  /** No restore or drill is open. */
  "closed",
  /** Provably not in the bucket. */
  "missing",
  /** Was read, and is not what was written. */
  "corrupt",
  /** None of the configured keys opens it. */
  "wrong-key",
  /** The bucket could not be read or written; nothing is known about its content. */
  "store",
  /** No bucket is bound. */
  "no-bucket",
] as const;

export const backupRefusal = z.object({
  reason: z.enum(REFUSALS),
  message: z.string(),
  retryAfterMs: z.number().nonnegative().optional(),
});
export type BackupRefusal = z.infer<typeof backupRefusal>;

/** What the boot document says about backups; absent when no bucket is bound. */
export const backupSettings = z.strictObject({
  /** age recipient that everything is encrypted to before it leaves the sandbox. */
  recipient: z.string().max(4096).optional(),
  /** Least milliseconds between two commits. */
  intervalMs: z.number().int().min(0),
  /** The key is another one than before: the next generation brings all content again. */
  rewrite: z.literal(true).optional(),
});
export type BackupSettings = z.infer<typeof backupSettings>;

/** Backups as the supervisor reports them. */
export const backupStatus = z.object({
  state: z.enum(["off", "restoring", "watching", "failed", "fenced"]),
  /** The generation the running state was restored from or last committed as; 0 for none. */
  generation: count,
  /** Content is known to have changed since the last commit; milliseconds since the epoch. */
  dirtySince: z.number().optional(),
  committedAt: z.number().optional(),
  /** How long ago a pass last found the whole state kept, or the restore ended, in milliseconds. */
  sinceKeptMs: z.number().nonnegative().optional(),
  lastError: z.object({ at: z.number(), message: z.string().max(1000) }).optional(),
  /** How often in a row committing failed. */
  failures: count,
  /** Entries that are not kept, and why. */
  unkept: z.array(z.object({ path: z.string().max(300), why: z.string().max(200) })).max(20),
});
export type BackupStatus = z.infer<typeof backupStatus>;
