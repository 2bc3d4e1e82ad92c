/**
 * The manifest: which generations there are. It is the only object that is ever written twice, by
 * compare-and-swap on its etag. Pure: text and plain data in, plain data out.
 *
 * The newest entries lie in the manifest, older ones in index pages that never change; so a commit
 * writes a small object however many generations there are.
 */
import * as z from "zod";
import { changeSummary, packId, REASONS, sha256Hex } from "../../protocol/backup.ts";

const number = z.number().int().nonnegative();

export const generationEntry = z.object({
  n: number.positive(),
  /** The newest generation when this one was made; 0 for none. */
  parent: number,
  /** Milliseconds since the epoch. */
  at: z.number(),
  /** Start generation of the sandbox that made it; 0 when the Worker did. */
  start: number,
  reason: z.enum(REASONS),
  /** Packs this generation brought. */
  packs: z.array(z.object({ id: packId, size: number })),
  /** Every pack a restore reads. Empty for a generation that is empty by decision. */
  needs: z.array(packId),
  list: z.object({ pack: packId, sha256: sha256Hex }).optional(),
  /** age recipient it is encrypted to; absent when it is not encrypted. */
  recipient: z.string().optional(),
  files: number,
  bytes: number,
  /** Without paths where the generation is encrypted. */
  changes: changeSummary,
  /** Those, where it is: see `changed-paths.ts`. */
  sealedPaths: z.string().optional(),
  /** The generation whose content this one has. */
  of: number.optional(),
  verifiedAt: z.number().optional(),
  damaged: z.string().optional(),
});
export type GenerationEntry = z.infer<typeof generationEntry>;

/** What was found out about a generation after it was made. */
const mark = z.object({ verifiedAt: z.number().optional(), damaged: z.string().optional() });
export type Mark = z.infer<typeof mark>;

const page = z.object({ key: z.string(), from: number, to: number, count: number });

export const manifest = z.object({
  format: z.literal(1),
  agentId: z.string(),
  /** Grows with each sandbox that may commit and with each decision of an admin: the fence. */
  epoch: number,
  pages: z.array(page),
  /** Archives from elsewhere that were taken in; each only once. */
  imported: z.array(z.string()).default([]),
  /** Of generations on index pages, which never change, by their number. */
  marks: z.record(z.string(), mark).default({}),
  /** Oldest first; the last one is the newest generation. */
  recent: z.array(generationEntry),
});
export type Manifest = z.infer<typeof manifest>;

export const pageContent = z.object({ entries: z.array(generationEntry) });

const MOST_RECENT = 96;
const SPILL_TO = 32;

export function parseManifest(text: string, agentId: string): Manifest | undefined {
  try {
    const found = manifest.parse(JSON.parse(text));
    return found.agentId === agentId ? found : undefined;
  } catch {
    return undefined;
  }
}

export function emptyManifest(agentId: string): Manifest {
  return { format: 1, agentId, epoch: 0, pages: [], imported: [], marks: {}, recent: [] };
}

export function headOf(current: Manifest): GenerationEntry | undefined {
  return current.recent.at(-1);
}

export function headNumber(current: Manifest): number {
  return headOf(current)?.n ?? 0;
}

/**
 * Whether the newest generation needs content that is encrypted to another recipient, or to none
 * although there is one, as far as the newest entries tell.
 */
export function hasOtherRecipient(current: Manifest, recipient: string | undefined): boolean {
  const head = headOf(current);
  if (recipient === undefined || head === undefined) return false;
  const others = current.recent.filter((entry) => entry.recipient !== recipient);
  const packs = new Set(others.flatMap((entry) => entry.packs.map(({ id }) => id)));
  const isOther = head.recipient !== recipient && head.needs.length > 0;
  return isOther || head.needs.some((pack) => packs.has(pack));
}

/** The entries that have to move to a page before another one fits. */
export function spill(current: Manifest): { keep: Manifest; move: GenerationEntry[] } {
  if (current.recent.length < MOST_RECENT) return { keep: current, move: [] };
  const cut = current.recent.length - SPILL_TO;
  return {
    keep: { ...current, recent: current.recent.slice(cut) },
    move: current.recent.slice(0, cut),
  };
}

export function withPage(current: Manifest, key: string, entries: GenerationEntry[]): Manifest {
  const from = entries[0]?.n ?? 0;
  const to = entries.at(-1)?.n ?? 0;
  return { ...current, pages: [...current.pages, { key, from, to, count: entries.length }] };
}

export function withEntry(current: Manifest, entry: GenerationEntry): Manifest {
  return { ...current, recent: [...current.recent, entry] };
}

/** In the entry itself while it is a recent one. */
export function withMark(current: Manifest, n: number, given: Mark): Manifest {
  if (!current.recent.some((entry) => entry.n === n)) {
    return { ...current, marks: { ...current.marks, [n]: given } };
  }
  return {
    ...current,
    recent: current.recent.map((entry) => (entry.n === n ? marked(entry, given) : entry)),
  };
}

export function marked(
  { verifiedAt: _verifiedAt, damaged: _damaged, ...entry }: GenerationEntry,
  given: Mark,
): GenerationEntry {
  return { ...entry, ...given };
}

const MOST_IMPORTED = 50;

export function withImported(current: Manifest, id: string): Manifest {
  return { ...current, imported: [...current.imported, id].slice(-MOST_IMPORTED) };
}

/** Content again, as the newest generation: history only ever grows. */
export function pointerTo(
  target: GenerationEntry,
  place: { n: number; parent: number; at: number; start: number },
): GenerationEntry {
  return {
    ...place,
    reason: "restore",
    packs: [],
    needs: target.needs,
    ...(target.list === undefined ? {} : { list: target.list }),
    ...(target.recipient === undefined ? {} : { recipient: target.recipient }),
    files: target.files,
    bytes: target.bytes,
    changes: { changed: 0, removed: 0, bytes: 0, paths: [] },
    of: target.of ?? target.n,
  };
}

export function emptyEntry(place: { n: number; parent: number; at: number }): GenerationEntry {
  return {
    ...place,
    start: 0,
    reason: "afresh",
    packs: [],
    needs: [],
    files: 0,
    bytes: 0,
    changes: { changed: 0, removed: 0, bytes: 0, paths: [] },
  };
}
