/**
 * What an admin decides the next start begins from. History only grows, and whatever sandbox runs is fenced by
 * it: the caller stops it first, with a last backup, and starts again afterwards. Fails closed: nothing becomes
 * the newest that no start could restore.
 */
import { refuse, type Answer } from "./ledger.ts";
import { emptyEntry, headNumber, pointerTo, withEntry, type Manifest } from "./manifest.ts";
import { contentOf, isDamaged } from "./plans.ts";
import { nextNumber, type BackupsRoom } from "./room.ts";

/** The content of `n` becomes the newest generation. */
export function restoreTo(room: BackupsRoom, n: number): Promise<Answer<number>> {
  const { ledger } = room;
  return ledger.change<number>(async (current) => {
    const all = await ledger.entries(current);
    if (!all.ok) return { do: "refuse", refusal: all };
    const target = all.value.find((entry) => entry.n === n);
    if (target === undefined || target.reason === "afresh") {
      return { do: "refuse", refusal: refuse("missing", `there is no generation ${n}`) };
    }
    if (isDamaged(room, target)) {
      return { do: "refuse", refusal: refuse("corrupt", `generation ${n} is damaged`) };
    }
    const content = await contentOf(room, target, []);
    if (!content.ok) return { do: "refuse", refusal: content };
    const place = placeIn(room, current);
    const next = withEntry(
      { ...current, epoch: current.epoch + 1 },
      pointerTo(target, { ...place, start: 0 }),
    );
    return { do: "write", next, value: place.n };
  });
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
