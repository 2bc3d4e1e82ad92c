/**
 * Deleting what the policy no longer keeps. Fails towards keeping: first the manifest stops naming a
 * generation; an hour later, when nobody reads by the former manifest any more, go packs that no generation
 * of the present one needs and that are older than any commit under way could be. Where somebody else
 * writes the manifest, or the clock is doubtful, nothing goes.
 */
import { ABSENT, listAll, remove, write, type BackupBucket } from "./bucket.ts";
import { lookAtClock } from "./clock-doubt.ts";
import { generationOf, packOfKey, packsPrefix, pageKey, pagePrefix } from "./keys.ts";
import { refuse, type Answer, type Change, type Ledger, type Refused } from "./ledger.ts";
import { headNumber, headOf, withPage, type GenerationEntry, type Manifest } from "./manifest.ts";
import { recall, type Notebook } from "./memory.ts";
import { damageKnown } from "./plans.ts";
import { notePruning, pruningNotesOf } from "./pruning-notes.ts";
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
  const current = await ledger.read(true);
  if (!current.ok) return current;
  const doubt = fenced(parts, current.value) ?? clockDoubt(parts, current.value);
  if (doubt !== undefined) return doubt;
  const swept = await sweep(ledger, parts);
  if (!swept.ok) return swept;
  const thinned = await ledger.change<number>((newest) => thin(ledger, parts, newest));
  if (!thinned.ok) return thinned;
  // Counted from here once more: writing it may have taken a while.
  if (thinned.value > 0) notePruning(parts.notebook, { droppedAt: parts.now() });
  return { ok: true, value: { removed: thinned.value, packs: swept.value } };
}

/** Only who wrote the present epoch knows that nobody else writes on. */
function fenced({ notebook }: PruneParts, current: Manifest): Refused | undefined {
  const own = Math.max(recall(notebook).claim?.epoch ?? 0, pruningNotesOf(notebook).epoch ?? 0);
  if (current.epoch === own) return undefined;
  const known = own === 0 ? "none yet" : `epoch ${own}`;
  return refuse(
    "stale",
    `epoch ${current.epoch} of these backups was begun elsewhere (here ${known}): ` +
      "only where the agent started last is anything deleted",
  );
}

function clockDoubt({ notebook, now }: PruneParts, current: Manifest): Refused | undefined {
  const { believedAt, doubtedAt } = pruningNotesOf(notebook);
  const at = now();
  const former = believedAt ?? recall(notebook).prunedAt ?? headOf(current)?.at ?? at;
  const { believed, noted } = lookAtClock(at, former, doubtedAt);
  notePruning(notebook, noted);
  if (believed) return undefined;
  const [is, was] = [at, former].map((time) => new Date(time).toISOString());
  return refuse(
    "closed",
    `the clock says ${is}, and when it was last looked at it was ${was}: ` +
      "nothing is deleted until it has gone on from there for an hour",
  );
}

async function thin(ledger: Ledger, parts: PruneParts, current: Manifest): Promise<Change<number>> {
  const refusal = fenced(parts, current);
  if (refusal !== undefined) return { do: "refuse", refusal };
  const all = await ledger.entries(current);
  if (!all.ok) return { do: "refuse", refusal: all };
  const keep = retained(all.value, parts.retention, parts.now(), damageKnown(parts.notebook));
  const kept = all.value.filter((entry) => keep.has(entry.n));
  const removed = all.value.length - kept.length;
  if (removed === 0) return { do: "same", value: 0 };
  const next = await repaged(parts, current, kept);
  if (!next.ok) return { do: "refuse", refusal: next };
  // Before it is written: it may be in although no answer says so.
  notePruning(parts.notebook, { droppedAt: parts.now() });
  return { do: "write", next: next.value, value: removed };
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

/** Deletes what earlier manifests named and what none ever did; says how much. */
async function sweep(ledger: Ledger, parts: PruneParts): Promise<Answer<number>> {
  const { bucket, notebook, now } = parts;
  const dropped = pruningNotesOf(notebook).droppedAt;
  const since = dropped === undefined ? SETTLED_MS : now() - dropped;
  // By a clock that was ahead then: the hour begins now.
  if (since < 0) notePruning(notebook, { droppedAt: now() });
  if (since < SETTLED_MS) return { ok: true, value: 0 };
  const unneeded = await unneededKeys(ledger, parts);
  if (!unneeded.ok) return unneeded;
  const done = await remove(bucket, unneeded.value);
  return done.ok ? { ok: true, value: unneeded.value.length } : done;
}

async function unneededKeys(ledger: Ledger, parts: PruneParts): Promise<Answer<string[]>> {
  const { agentId, bucket, now } = parts;
  const settled = now() - SETTLED_MS;
  const [packs, pages] = [
    await listAll(bucket, packsPrefix(agentId)),
    await listAll(bucket, pagePrefix(agentId)),
  ];
  if (!packs.ok) return packs;
  if (!pages.ok) return pages;
  // Read after the listing: what was committed meanwhile is newer than everything listed for removal.
  const manifest = await ledger.read(true);
  if (!manifest.ok) return manifest;
  const refusal = fenced(parts, manifest.value);
  if (refusal !== undefined) return refusal;
  const all = await ledger.entries(manifest.value);
  if (!all.ok) return all;
  const needed = new Set<string>();
  for (const entry of all.value) {
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
