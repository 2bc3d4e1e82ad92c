/**
 * A sandbox appends: a number, packs, and the commit that publishes them. Fails closed: only on top of
 * the newest generation, only what lies in the bucket as it was sent, and only so much an hour.
 */
import {
  PACK_MAX_BYTES,
  type CommitRequest,
  type PackId,
  type ReserveReply,
} from "../../protocol/backup.ts";
import { admit } from "./bounds.ts";
import { readHead, sha256Of } from "./bucket.ts";
import { changesOf } from "./changed-paths.ts";
import { generationOf, packKey } from "./keys.ts";
import { refuse, type Answer, type Change, type Refused } from "./ledger.ts";
import {
  headNumber,
  headOf,
  withEntry,
  withImported,
  type GenerationEntry,
  type Manifest,
} from "./manifest.ts";
import { recall, remember } from "./memory.ts";
import { isDamaged, olderThan } from "./plans.ts";
import { nextNumber, type BackupsRoom } from "./room.ts";

export function stale(start: number): Refused {
  return refuse("stale", `start ${start} of this agent may not commit: a newer one has begun`);
}

/** Says the present key as well: it may have been set since the sandbox began. */
export async function reserve(room: BackupsRoom): Promise<Answer<ReserveReply>> {
  const current = await room.ledger.read(false);
  if (!current.ok) return current;
  const recipient = (await room.keys())?.recipient;
  const generation = nextNumber(room, current.value);
  return { ok: true, value: { generation, ...(recipient === undefined ? {} : { recipient }) } };
}

/** Where the pack belongs, counted as if it were there already. */
export function placeOfPack(
  { agentId, notebook, bounds, now }: BackupsRoom,
  pack: PackId,
  size: number,
): Answer<{ key: string }> {
  const known = recall(notebook);
  const n = generationOf(pack);
  if (n <= known.lastGeneration || n > known.reserved) {
    return refuse("invalid", `generation ${n} is not reserved`);
  }
  if (size > PACK_MAX_BYTES) {
    return refuse("invalid", `a pack has at most ${PACK_MAX_BYTES} bytes`);
  }
  const admission = admit(known.used, { bytes: size, commits: 0 }, bounds, now());
  if (!admission.ok) return bounded(admission.retryAfterMs);
  remember(notebook, { used: admission.usage });
  return { ok: true, value: { key: packKey(agentId, pack) } };
}

export async function commit(
  room: BackupsRoom,
  start: number,
  generation: number,
  request: CommitRequest,
): Promise<Answer<{ generation: number }>> {
  const { notebook, bounds, now, ledger } = room;
  const own = request.packs.map((pack) => pack.id);
  const expected = own.every((id, i) => id === `${generation}.${i}`);
  if (!expected || own.length === 0 || !own.every((id) => request.needs.includes(id))) {
    return refuse("invalid", "a generation's packs are numbered from 0 and it needs them all");
  }
  const admission = admit(recall(notebook).used, { bytes: 0, commits: 1 }, bounds, now());
  if (!admission.ok) return bounded(admission.retryAfterMs);
  const present = await confirmPacks(room, request);
  if (!present.ok) return present;
  const changes = await changesOf(await room.keys(), request);
  const committed = await ledger.change<number>((current) =>
    successor(room, current, { start, generation, request, changes }),
  );
  if (!committed.ok) return committed;
  remember(notebook, { used: admission.usage });
  return { ok: true, value: { generation: committed.value } };
}

async function successor(
  room: BackupsRoom,
  current: Manifest,
  asked: { start: number; generation: number; request: CommitRequest; changes: Changes },
): Promise<Change<number>> {
  const { notebook, now } = room;
  const { start, generation, request, changes } = asked;
  const head = headOf(current);
  const { claim } = recall(notebook);
  if (claim?.start !== start || claim.epoch !== current.epoch) {
    return { do: "refuse", refusal: stale(start) };
  }
  // The reply to an earlier attempt was lost: it is in.
  if (head?.n === generation && head.list?.sha256 === request.listSha256) {
    return { do: "same", value: generation };
  }
  const parent = await parentOf(room, current, request);
  if (!parent.ok) return { do: "refuse", refusal: parent };
  if (generation <= headNumber(current)) {
    return { do: "refuse", refusal: refuse("exists", `generation ${generation} is taken`) };
  }
  const available = new Set([...request.packs.map(({ id }) => id), ...(parent.value?.needs ?? [])]);
  if (!request.needs.every((pack) => available.has(pack))) {
    return {
      do: "refuse",
      refusal: refuse("invalid", "it needs a pack that its parent does not"),
    };
  }
  const next = withEntry(current, {
    ...entryOf(start, generation, request, now()),
    ...changes,
  });
  const { imported } = request;
  return {
    do: "write",
    next: imported === undefined ? next : withImported(next, imported),
    value: generation,
  };
}

/**
 * What it may build on: the newest generation; or, for what a crash left behind while that one is known to be
 * damaged, the newest that is not.
 */
async function parentOf(
  room: BackupsRoom,
  current: Manifest,
  { parent, reason }: CommitRequest,
): Promise<Answer<GenerationEntry | undefined>> {
  const newest = headNumber(current);
  const head = headOf(current);
  if (parent === newest) return { ok: true, value: head };
  const refusal = refuse("parent", `the newest generation is ${newest}`);
  if (reason !== "recovery" || head === undefined || !isDamaged(room, head)) return refusal;
  const older = await olderThan(room, newest);
  return !older.ok || older.value?.n === parent ? older : refusal;
}

/** A generation is published only when everything it brought lies in the bucket as it was sent. */
async function confirmPacks(
  { agentId, bucket }: BackupsRoom,
  request: CommitRequest,
): Promise<Answer<undefined>> {
  const heads = await Promise.all(
    request.packs.map((pack) => readHead(bucket, packKey(agentId, pack.id))),
  );
  for (const [i, pack] of request.packs.entries()) {
    const head = heads[i];
    if (head === undefined || !head.ok) return head ?? refuse("store", `${pack.id}: no answer`);
    if (head.value === undefined) return refuse("missing", `pack ${pack.id} was not stored`);
    const digest = sha256Of(head.value);
    if (head.value.size !== pack.size || (digest !== undefined && digest !== pack.sha256)) {
      return refuse("corrupt", `pack ${pack.id} is not what was sent`);
    }
  }
  return { ok: true, value: undefined };
}

type Changes = Awaited<ReturnType<typeof changesOf>>;

function entryOf(
  start: number,
  n: number,
  request: CommitRequest,
  now: number,
): Omit<GenerationEntry, "changes"> {
  return {
    n,
    parent: request.parent,
    at: now,
    start,
    reason: request.reason,
    packs: request.packs.map(({ id, size }) => ({ id, size })),
    needs: request.needs,
    list: { pack: request.packs.at(-1)?.id ?? "", sha256: request.listSha256 },
    ...(request.recipient === undefined ? {} : { recipient: request.recipient }),
    files: request.files,
    bytes: request.bytes,
  };
}

function bounded(retryAfterMs: number): Refused {
  return refuse("bounded", "the bytes or commits it may append are used up", retryAfterMs);
}
