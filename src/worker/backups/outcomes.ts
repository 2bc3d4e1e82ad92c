/** What a restore or a drill found out, and what follows from it for the generations. */
import type { OutcomeReply, RestoreOutcome } from "../../protocol/backup.ts";
import { refuse, type Answer } from "./ledger.ts";
import { headNumber, pointerTo, withEntry, withMark } from "./manifest.ts";
import { forget, recall, remember } from "./memory.ts";
import { olderThan, planFor } from "./plans.ts";
import { nextNumber, type BackupsRoom } from "./room.ts";

const MOST_DAMAGED = 200;

export async function takeOutcome(
  room: BackupsRoom,
  start: number,
  said: RestoreOutcome,
): Promise<Answer<OutcomeReply>> {
  const { open, drilledFrom } = recall(room.notebook);
  if (open === undefined) return refuse("closed", "no restore and no drill is open");
  if (said.outcome === "damaged") {
    const marked = await markDamaged(room, said);
    if (!marked.ok || open === "drill") return marked.ok ? { ok: true, value: {} } : marked;
    const older = await olderThan(room, said.generation);
    if (!older.ok) return older;
    if (older.value === undefined) return { ok: true, value: {} };
    const next = await planFor(room, older.value);
    return next.ok ? { ok: true, value: { next: next.value } } : next;
  }
  if (open === "restore") {
    const adopted = await adopt(room, start, said.generation);
    if (!adopted.ok) return adopted;
    forget(room.notebook, "open");
    // The claim has just written the manifest: a start does not wait for its next turn to be written.
    if (adopted.value > 0) room.later(markVerified(room, adopted.value, true));
    return { ok: true, value: { generation: adopted.value } };
  }
  const newest = said.generation === drilledFrom;
  const verified = await markVerified(room, said.generation, newest);
  if (!verified.ok) return verified;
  forget(room.notebook, "open");
  return { ok: true, value: { generation: verified.value } };
}

async function markDamaged(
  { notebook, ledger }: BackupsRoom,
  said: Extract<RestoreOutcome, { outcome: "damaged" }>,
): Promise<Answer<undefined>> {
  if (said.pack !== undefined) {
    const known = recall(notebook).damagedPacks;
    const damagedPacks = [...new Set([...known, said.pack])].slice(-MOST_DAMAGED);
    remember(notebook, { damagedPacks });
  }
  return ledger.change<undefined>(async (current) => {
    const all = await ledger.entries(current);
    if (!all.ok) return { do: "refuse", refusal: all };
    const entry = all.value.find(({ n }) => n === said.generation);
    if (entry === undefined) return { do: "same", value: undefined };
    const { verifiedAt } = entry;
    const mark = { ...(verifiedAt === undefined ? {} : { verifiedAt }), damaged: said.problem };
    return { do: "write", next: withMark(current, said.generation, mark), value: undefined };
  });
}

/**
 * A restore worked from it: nothing that it needs is damaged.
 *
 * @param newest whether it was the newest generation when the restore began
 */
async function markVerified(
  { notebook, ledger, now }: BackupsRoom,
  n: number,
  newest: boolean,
): Promise<Answer<number>> {
  return ledger.change<number>(async (current) => {
    const all = await ledger.entries(current);
    if (!all.ok) return { do: "refuse", refusal: all };
    const entry = all.value.find((one) => one.n === n);
    // Of a decision to start afresh nothing was restored.
    if (entry === undefined || entry.reason === "afresh") return { do: "same", value: n };
    const { needs } = entry;
    const damaged = recall(notebook).damagedPacks.filter((pack) => !needs.includes(pack));
    remember(notebook, {
      ...{ damagedPacks: damaged, verifiedAt: now() },
      ...(newest ? { newestVerifiedAt: now() } : {}),
    });
    return { do: "write", next: withMark(current, n, { verifiedAt: now() }), value: n };
  });
}

/** An older generation that was restored becomes the newest again; the damaged ones stay listed. */
async function adopt(room: BackupsRoom, start: number, n: number): Promise<Answer<number>> {
  const { ledger, now } = room;
  return ledger.change<number>(async (current) => {
    if (headNumber(current) === n) return { do: "same", value: n };
    const all = await ledger.entries(current);
    if (!all.ok) return { do: "refuse", refusal: all };
    const target = all.value.find((entry) => entry.n === n);
    if (target === undefined) {
      return { do: "refuse", refusal: refuse("missing", `there is no generation ${n}`) };
    }
    const own = nextNumber(room, current);
    const place = { n: own, parent: headNumber(current), at: now(), start };
    return { do: "write", next: withEntry(current, pointerTo(target, place)), value: own };
  });
}
