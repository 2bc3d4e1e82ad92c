/** One generation, from its packs into a folder. */
import { hash } from "node:crypto";
import { isGatewayDatabase } from "../../archive/kept.ts";
import { fileList, type FileList, type PackId, type RestorePlan } from "../../protocol/backup.ts";
import { largestDatabase, shapeProblem, sizeOfState, withSeal } from "./file-list.ts";
import type { HostClient } from "./host-client.ts";
import { PackError } from "./pack.ts";
import { listIn, takeListPack, takePack } from "./pack-content.ts";
import { DamagedError, PackReads, UnreadableError, type ReadPack } from "./pack-reads.ts";
import { StateWriter } from "./state-writer.ts";

export interface RestoreParts {
  agentId: string;
  host: HostClient;
  /** Opens restored databases as the agent; answers what is wrong with them. */
  check: (databases: string[]) => Promise<{ path: string; problem: string }[]>;
  /** Makes what was written the agent's. */
  give: (list: FileList) => void;
  /** The parallel reads of packs. */
  parallel: number;
  /** Bytes that there is place for. */
  room: number;
  /** A drill: the caller looks after the folder, and there is no second try. */
  scratch: boolean;
  wait: (ms: number) => Promise<void>;
}

export type Plan = Extract<RestorePlan, { outcome: "restore" }>;

/** One restore while it reads. */
export interface Reading extends RestoreParts {
  packs: PackReads;
}

type Attempt =
  | { ok: true; list: FileList; broken: { path: string; problem: string }[] }
  | { ok: false; problem: string; pack?: PackId };

/** Whatever could not be read is thrown: it says nothing about the generation. */
export async function tryGeneration(target: string, plan: Plan, parts: Reading): Promise<Attempt> {
  const { packs, parallel } = parts;
  try {
    // The first of the others are on their way while the list is read.
    const early = plan.packs.filter((pack) => pack !== plan.listPack).slice(0, parallel - 1);
    for (const pack of early) packs.begin(pack);
    const { list, writer } = await packs.use(plan.listPack, (read) =>
      begin(target, plan, parts, read),
    );
    // A drill is there to find what nobody thought of.
    const asked = { seals: list.seals, everything: parts.scratch };
    const others = list.packs.filter((pack) => pack !== plan.listPack && writer.wants(pack));
    await inParallel(others, parallel, (pack) =>
      packs.use(pack, (read) => takePack(writer, pack, read, asked)),
    );
    writer.finish();
    parts.give(list);
    const databases = list.files.filter((file) => file.database).map((file) => file.path);
    const broken = await parts.check(databases);
    // One of the agent's own may have been broken when it was kept; it is that which comes back.
    const problem = broken.find(({ path }) => isGatewayDatabase(path));
    if (problem !== undefined) throw new DamagedError(`${problem.path}: ${problem.problem}`);
    return { ok: true, list, broken };
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    return {
      ok: false,
      problem: error.message,
      ...(error.pack === undefined ? {} : { pack: error.pack }),
    };
  }
}

/** The list of the planned generation, without its content. */
export async function readListOf(plan: Plan, parts: RestoreParts): Promise<FileList> {
  const packs = new PackReads(parts.host, parts.wait);
  try {
    return await packs.use(plan.listPack, async (read) =>
      withSeal(listOf(await listIn(read), plan, parts.agentId), plan.listPack, read.seal),
    );
  } finally {
    await packs.close();
  }
}

function requirePlausible(list: FileList, { listPack }: Plan, room: number): void {
  const problemOfShape = shapeProblem(list);
  if (problemOfShape !== undefined) throw new DamagedError(problemOfShape, listPack);
  const bytes = sizeOfState(list) + largestDatabase(list);
  if (bytes > room) {
    const said = `${bytes} bytes of state and scratch, and room for ${Math.floor(room)}`;
    throw new UnreadableError("no-room", `there is no room to try a restore: ${said}`);
  }
}

/** The list, and what it wants of its own pack. */
async function begin(
  target: string,
  plan: Plan,
  { agentId, room }: Reading,
  read: ReadPack,
): Promise<{ list: FileList; writer: StateWriter }> {
  let begun: { list: FileList; writer: StateWriter } | undefined;
  await takeListPack(plan.listPack, read, (text) => {
    const list = withSeal(listOf(text, plan, agentId), plan.listPack, read.seal);
    requirePlausible(list, plan, room);
    begun = { list, writer: new StateWriter(target, list) };
    return begun.writer;
  });
  if (begun === undefined) throw new Error("nothing was begun");
  return begun;
}

/** Throws a `PackError` where it is not the list that was committed. */
function listOf(text: Uint8Array | undefined, { listSha256 }: Plan, agentId: string): FileList {
  if (text === undefined || hash("sha256", text, "hex") !== listSha256) {
    throw new PackError("the file list is not what was committed");
  }
  const parsed = fileList.safeParse(JSON.parse(new TextDecoder().decode(text)));
  if (!parsed.success || parsed.data.agentId !== agentId) {
    // It is whole: a later version may have written it.
    throw new UnreadableError("list", "the file list is none that this version reads");
  }
  return parsed.data;
}

async function inParallel<T>(
  items: readonly T[],
  most: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const workers = Array.from({ length: Math.min(most, queue.length) }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  });
  const ends = await Promise.allSettled(workers);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}
