/**
 * Deleting what the policy no longer keeps. Fails towards keeping: first the manifest stops naming a
 * generation, and only then go packs that no generation of exactly that manifest needs and that are
 * older than any commit under way could be.
 */
import { ABSENT, listAll, write, type BackupBucket } from "./bucket.ts";
import { generationOf, packOfKey, packsPrefix, pageKey, pagePrefix } from "./keys.ts";
import type { Answer, Ledger } from "./ledger.ts";
import { headNumber, withPage, type GenerationEntry, type Manifest } from "./manifest.ts";
import type { Notebook } from "./memory.ts";
import { damageKnown } from "./plans.ts";
import { retained, type RetentionPolicy } from "./retention.ts";

export interface PruneParts {
  agentId: string;
  bucket: BackupBucket;
  notebook: Notebook;
  retention: RetentionPolicy;
  now: () => number;
}

/** Packs of an attempt that failed, or of a reader of the former manifest, are left alone this long. */
const SETTLED_MS = 3_600_000;
const PAGE_ENTRIES = 500;

export async function prune(
  ledger: Ledger,
  parts: PruneParts,
): Promise<Answer<{ removed: number; packs: number }>> {
  const thinned = await ledger.change<{
    manifest: Manifest;
    kept: GenerationEntry[];
    removed: number;
  }>(async (current) => {
    const all = await ledger.entries(current);
    if (!all.ok) return { do: "refuse", refusal: all };
    const keep = retained(all.value, parts.retention, parts.now(), damageKnown(parts.notebook));
    const kept = all.value.filter((entry) => keep.has(entry.n));
    const removed = all.value.length - kept.length;
    if (removed === 0) return { do: "same", value: { manifest: current, kept, removed } };
    const next = await repaged(parts, current, kept);
    if (!next.ok) return { do: "refuse", refusal: next };
    return { do: "write", next: next.value, value: { manifest: next.value, kept, removed } };
  });
  if (!thinned.ok) return thinned;
  const { kept, removed } = thinned.value;
  const gone = await unneededKeys(parts, ledger, kept);
  if (!gone.ok) return gone;
  const done = await ledger.removeUnneeded(gone.value);
  return done.ok ? { ok: true, value: { removed, packs: gone.value.length } } : done;
}

/** The kept entries in new pages: pages themselves are never rewritten. */
async function repaged(
  parts: PruneParts,
  current: Manifest,
  kept: GenerationEntry[],
): Promise<Answer<Manifest>> {
  const newest = new Set(current.recent.map((entry) => entry.n));
  const recent = kept.filter((entry) => newest.has(entry.n));
  const older = kept.filter((entry) => !newest.has(entry.n));
  // Marks go into the pages, which are written anew with the entries as they are known.
  let next: Manifest = { ...current, recent, pages: [], marks: {} };
  for (let i = 0; i < older.length; i += PAGE_ENTRIES) {
    const entries = older.slice(i, i + PAGE_ENTRIES);
    const unique = crypto.randomUUID();
    const key = pageKey(parts.agentId, entries[0]?.n ?? 0, entries.at(-1)?.n ?? 0, unique);
    const text = JSON.stringify({ entries });
    const page = await write(parts.bucket, key, text, { onlyIf: ABSENT });
    if (!page.ok) return page;
    next = withPage(next, key, entries);
  }
  return { ok: true, value: next };
}

async function unneededKeys(
  parts: PruneParts,
  ledger: Ledger,
  kept: GenerationEntry[],
): Promise<Answer<string[]>> {
  const { agentId, bucket, now } = parts;
  const settled = now() - SETTLED_MS;
  const [packs, pages] = [
    await listAll(bucket, packsPrefix(agentId)),
    await listAll(bucket, pagePrefix(agentId)),
  ];
  if (!packs.ok) return packs;
  if (!pages.ok) return pages;
  // Read after the listing: what was committed meanwhile is newer than everything listed for removal.
  const manifest = await ledger.read(false);
  if (!manifest.ok) return manifest;
  const needed = new Set<string>();
  for (const entry of [...kept, ...manifest.value.recent]) {
    for (const pack of entry.needs) needed.add(pack);
    for (const pack of entry.packs) needed.add(pack.id);
  }
  const named = new Set(manifest.value.pages.map((page) => page.key));
  const unneeded = packs.value.filter((object) => {
    const pack = packOfKey(agentId, object.key);
    if (pack === undefined || needed.has(pack)) return false;
    return generationOf(pack) < headNumber(manifest.value) && object.uploaded.getTime() < settled;
  });
  const stale = pages.value.filter(
    (object) => !named.has(object.key) && object.uploaded.getTime() < settled,
  );
  return { ok: true, value: [...unneeded, ...stale].map((object) => object.key) };
}
