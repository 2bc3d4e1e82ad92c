/**
 * Which generation a restore reads. Fails closed: what no key opens or what is known to be damaged is
 * never planned, and a decision to start afresh is never crossed on the way to an older one.
 */
import type { RestorePlan } from "../../protocol/backup.ts";
import { identityFor, wrongKey } from "./cipher.ts";
import { refuse, type Answer } from "./ledger.ts";
import { headOf, type GenerationEntry, type Manifest } from "./manifest.ts";
import { recall, type Notebook } from "./memory.ts";
import type { BackupsRoom } from "./room.ts";

export type ContentPlan = Extract<RestorePlan, { outcome: "restore" }>;

type PassedOver = ContentPlan["passedOver"];

/** `entry` itself, or, when it is known to be damaged, the newest older one that is not. */
export async function planFor(
  room: BackupsRoom,
  entry: GenerationEntry | undefined,
): Promise<Answer<RestorePlan>> {
  if (entry === undefined || entry.reason === "afresh") {
    return { ok: true, value: { outcome: "empty", generation: entry?.n ?? 0 } };
  }
  if (!isDamaged(room, entry)) return contentOf(room, entry, []);
  const found = await searchBelow(room, entry.n);
  if (!found.ok) return found;
  const { intact, damaged } = found.value;
  if (intact === undefined) return refuse("corrupt", noneIntact(entry));
  return contentOf(room, intact, passedOver([...damaged, entry]));
}

/** What a restore of `n`, or of the newest, reads, also when it is known to be damaged. */
export async function planTo(room: BackupsRoom, n?: number): Promise<Answer<ContentPlan>> {
  const current = await room.ledger.read(false);
  if (!current.ok) return current;
  const found = await entryIn(room, current.value, n);
  if (!found.ok) return found;
  const entry = found.value;
  if (entry === undefined) return refuse("missing", "there is no such generation");
  if (entry.reason === "afresh") return refuse("missing", `generation ${entry.n} is empty`);
  return contentOf(room, entry, []);
}

/** The newest is in the manifest itself. */
async function entryIn(
  { ledger }: BackupsRoom,
  current: Manifest,
  n: number | undefined,
): Promise<Answer<GenerationEntry | undefined>> {
  if (n === undefined) return { ok: true, value: headOf(current) };
  const all = await ledger.entries(current);
  return all.ok ? { ok: true, value: all.value.find((one) => one.n === n) } : all;
}

/** The newest intact one below `n`. */
export async function olderThan(
  room: BackupsRoom,
  n: number,
): Promise<Answer<GenerationEntry | undefined>> {
  const found = await searchBelow(room, n);
  return found.ok ? { ok: true, value: found.value.intact } : found;
}

/** The newest intact one below `n`, and the damaged ones between the two, oldest first. */
async function searchBelow(
  room: BackupsRoom,
  n: number,
): Promise<Answer<{ intact?: GenerationEntry; damaged: GenerationEntry[] }>> {
  const current = await room.ledger.read(false);
  if (!current.ok) return current;
  const all = await room.ledger.entries(current.value);
  if (!all.ok) return all;
  const damaged: GenerationEntry[] = [];
  for (const entry of all.value.filter((one) => one.n < n).toReversed()) {
    if (entry.reason === "afresh") break;
    if (!isDamaged(room, entry)) return { ok: true, value: { intact: entry, damaged } };
    damaged.unshift(entry);
  }
  return { ok: true, value: { damaged } };
}

function passedOver(entries: readonly GenerationEntry[]): PassedOver {
  return entries
    .toReversed()
    .flatMap(({ n, list }) =>
      list === undefined ? [] : [{ generation: n, listSha256: list.sha256 }],
    );
}

export function isDamaged({ notebook }: BackupsRoom, entry: GenerationEntry): boolean {
  return damageKnown(notebook)(entry);
}

/** Tells of each generation whether it is known to be damaged: by itself, or by a pack that it needs. */
export function damageKnown(notebook: Notebook): (entry: GenerationEntry) => boolean {
  const damage = damageIn(notebook);
  return (entry) => damage(entry) !== undefined;
}

/** The same in words; undefined of one that is not known to be damaged. */
export function damageIn(notebook: Notebook): (entry: GenerationEntry) => string | undefined {
  const packs = new Set(recall(notebook).damagedPacks);
  return ({ damaged, needs }) => {
    const pack = needs.find((one) => packs.has(one));
    return damaged ?? (pack === undefined ? undefined : `it needs pack ${pack}, which is damaged`);
  };
}

/** A restore of `entry`, refused when no configured key opens it. */
export async function contentOf(
  room: BackupsRoom,
  entry: GenerationEntry,
  damaged: PassedOver,
): Promise<Answer<ContentPlan>> {
  const keys = await room.keys();
  if (entry.recipient !== undefined && identityFor(keys, entry.recipient) === undefined) {
    return refuse("wrong-key", wrongKey(keys, entry.recipient));
  }
  if (entry.list === undefined) return refuse("corrupt", `generation ${entry.n} names no list`);
  return {
    ok: true,
    value: {
      outcome: "restore",
      generation: entry.n,
      listPack: entry.list.pack,
      listSha256: entry.list.sha256,
      packs: entry.needs,
      passedOver: damaged,
    },
  };
}

function noneIntact(entry: GenerationEntry): string {
  return `generation ${entry.n} is damaged (${entry.damaged ?? "a pack"}) and no older one is intact`;
}
