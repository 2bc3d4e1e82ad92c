/**
 * Import of a state from elsewhere: `/api/backups/imports` in the admin API, and between the
 * supervisor and the Worker `GET /v1/import` and `GET /v1/import/<part>`.
 */
import * as z from "zod";

/** Every part but the last has this size. */
export const IMPORT_PART_BYTES = 8 * 1024 ** 2;
export const MAX_IMPORT_BYTES = 2 * 1024 ** 3;
/** The name under which an archive in the bucket is picked up at the next start. */
export const BUCKET_ARCHIVE = "moltbot-backup.tar.gz";

const count = z.number().int().nonnegative();

export const SKIP_REASONS = [
  /** Not below the state folder. */
  "outside",
  /** The gateway makes it again. */
  "regenerated",
  /** The gateway's config is written from this deployment's settings. */
  "config",
  "secret",
  /** Links are not taken from an archive. */
  "link",
  /** Folders come with what is in them. */
  "folder",
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

export const SECRET_KINDS = [
  "environment",
  "credentials",
  "model-login",
  "device",
  "private-key",
  /** A setting in the config; the path names it after `#`. */
  "config",
] as const;
export type SecretKind = (typeof SECRET_KINDS)[number];

/** What has to be set up again by hand. */
export const relink = z.object({
  what: z.enum(["channel", "devices", "models", "plugin"]),
  name: z.string().max(100).optional(),
});
export type Relink = z.infer<typeof relink>;

/** What an import brings, from a dry run. Lists are cut; their sums are not. */
export const importReport = z.object({
  /** Where in the archive the state lies; empty when the archive begins inside of it. */
  root: z.string(),
  files: count,
  bytes: count,
  /** By the first folder below the state folder. */
  taken: z.array(z.object({ path: z.string(), files: count, bytes: count })),
  skipped: z.array(z.object({ path: z.string(), why: z.enum(SKIP_REASONS) })),
  skippedFiles: count,
  secrets: z.array(z.object({ path: z.string(), kind: z.enum(SECRET_KINDS) })),
  relink: z.array(relink),
});
export type ImportReport = z.infer<typeof importReport>;

export const importView = z.object({
  id: z.string(),
  name: z.string(),
  bytes: count,
  partBytes: count,
  /** How many parts it has, and the numbers, from 0, of those that have not arrived. */
  parts: count,
  missing: z.array(count),
  /**
   * `uploading` until all parts are there; `waiting` for the next start; `done`, or `refused` with
   * its reason.
   */
  state: z.enum(["uploading", "uploaded", "waiting", "done", "refused"]),
  problem: z.string().optional(),
});
export type ImportView = z.infer<typeof importView>;

/** What the supervisor reads of a waiting import. */
export const importPlan = z.object({
  /** Absent when none waits. */
  import: z
    .object({ id: z.string(), bytes: count, partBytes: count.positive(), parts: count })
    .optional(),
});
export type ImportPlan = z.infer<typeof importPlan>;

/** How taking it in ended; `done` comes with the commit of the generation it made. */
export const importOutcome = z.object({ id: z.string(), problem: z.string().max(1000) });
export type ImportOutcome = z.infer<typeof importOutcome>;
