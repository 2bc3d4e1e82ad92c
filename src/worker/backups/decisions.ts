/**
 * What an admin decides the next start begins from. History only grows, and whatever sandbox runs is fenced by
 * it: the caller stops it first, with a last backup, and starts again afterwards. Fails closed: nothing becomes
 * the newest that no start could restore.
 */
import { refuse, type Answer } from "./ledger.ts";
import {
  emptyEntry,
  headNumber,
  pointerTo,
  withEntry,
  type GenerationEntry,
  type Manifest,
} from "./manifest.ts";
import { contentOf, isDamaged } from "./plans.ts";
import { nextNumber, type BackupsRoom } from "./room.ts";

/** The content of `n` becomes the newest generation. */
export function restoreTo(room: BackupsRoom, n: number): Promise<Answer<number>> {
  return room.ledger.change<number>(async (current) => {
    const target = await targetOf(room, current, n);
    if (!target.ok) return { do: "refuse", refusal: target };
    const place = placeIn(room, current);
    const next = withEntry(
      { ...current, epoch: current.epoch + 1 },
      pointerTo(target.value, { ...place, start: 0 }),
    );
    return { do: "write", next, value: place.n };
  });
}

/** Before anything is stopped for it: whether it could be done. Asks the bucket itself. */
export async function mayRestoreTo(room: BackupsRoom, n: number): Promise<Answer<undefined>> {
  const current = await room.ledger.read(true);
  if (!current.ok) return current;
  const target = await targetOf(room, current.value, n);
  return target.ok ? { ok: true, value: undefined } : target;
}

/** The same of a start afresh. */
export async function mayStartAfresh(room: BackupsRoom): Promise<Answer<undefined>> {
  const current = await room.ledger.read(true);
  return current.ok ? { ok: true, value: undefined } : current;
}

async function targetOf(
  room: BackupsRoom,
  current: Manifest,
  n: number,
): Promise<Answer<GenerationEntry>> {
  const all = await room.ledger.entries(current);
  if (!all.ok) return all;
  const target = all.value.find((entry) => entry.n === n);
  if (target === undefined || target.reason === "afresh") {
    return refuse("missing", `there is no generation ${n}`);
  }
  if (isDamaged(room, target)) return refuse("corrupt", `generation ${n} is damaged`);
  const content = await contentOf(room, target, []);
  return content.ok ? { ok: true, value: target } : content;
}

/** The next start begins empty; everything before stays and can be restored. */
export function startAfresh(room: BackupsRoom): Promise<Answer<number>> {
  return room.ledger.change<number>((current) => {
    const place = placeIn(room, current);
    const next = withEntry({ ...current, epoch: current.epoch + 1 }, emptyEntry(place));
    return { do: "write", next, value: place.n };
  });
}

function placeIn(room: BackupsRoom, current: Manifest): { n: number; parent: number; at: number } {
  return { n: nextNumber(room, current), parent: headNumber(current), at: room.now() };
}
