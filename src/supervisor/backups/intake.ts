/**
 * Takes a state from elsewhere into the agent's home, before anything of the agent runs. The archive
 * is untrusted. Fails closed: it is read to its end and judged before anything is written, what is
 * written goes into a new folder that nobody else works in, and only a whole one becomes the state.
 */
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  futimesSync,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { Intake, RefusedArchiveError, type Decision } from "../../archive/import-rules.ts";
import { survey } from "../../archive/survey.ts";
import { readTar, TarError, type TarEntry } from "../../archive/tar-reader.ts";
import { unpacked } from "../../archive/unpack.ts";
import { STATE_FOLDER } from "../../protocol/backup.ts";
import type { ImportPlan } from "../../protocol/import.ts";
import type { HostClient } from "./host-client.ts";
import { removeTree } from "./tree-removal.ts";

export interface IntakeParts {
  home: string;
  host: HostClient;
  /** Makes a file or folder the agent's. */
  give: (path: string) => void;
  /** Takes what is secret out of databases, as the agent. */
  purge: (home: string, databases: string[]) => Promise<void>;
  log: { info(text: string): void; warn(text: string): void };
}

export type TakenIn =
  | { outcome: "none" }
  /** The state folder holds what the archive held. */
  | { outcome: "taken"; id: string }
  /** It could not be read: nothing is known about it. */
  | { outcome: "failed"; reason: string; message: string };

type Waiting = NonNullable<ImportPlan["import"]>;

const ASIDE = ".moltworker-import";
/** The state that was there, until the new one is a generation. */
const BEFORE = ".moltworker-before-import";
const DATABASE = /\.(sqlite|db)$/;
/** Seconds since the epoch: what a tar can say in its own digits. */
const LATEST = 8 ** 11 - 1;
const WORKSPACE = `${STATE_FOLDER}/workspace`;

class UnreadableError extends Error {
  override readonly name = "UnreadableError";
  readonly code = "unreadable";
}

export async function takeIn(parts: IntakeParts): Promise<TakenIn> {
  const { home, host, log } = parts;
  const plan = await host.importPlan();
  if (!plan.ok) return { outcome: "failed", reason: plan.reason, message: plan.message };
  const waiting = plan.value.import;
  if (waiting === undefined) return { outcome: "none" };
  const aside = join(home, ASIDE);
  try {
    removeTree(aside);
    const open = () => unpacked(bytesOf(waiting, host));
    const found = await survey(open, waiting.bytes);
    if (!found.ok) return await refuse(parts, waiting, found.message);
    mkdirSync(aside, { mode: 0o700 });
    const written = await unpackInto(aside, open(), waiting.bytes, found.report.root);
    for (const path of written) parts.give(path);
    parts.give(aside);
    const databases = written
      .map((path) => path.slice(aside.length + 1))
      .filter((path) => DATABASE.test(path) && !path.startsWith(`${WORKSPACE}/`));
    await parts.purge(aside, databases);
    exchange(home, aside);
    log.info(`took in ${found.report.files} files from an archive of ${waiting.bytes} bytes`);
    return { outcome: "taken", id: waiting.id };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof RefusedArchiveError || error instanceof TarError) {
      return await refuse(parts, waiting, message);
    }
    // A full disk, say, is not the archive's fault.
    const reason = error instanceof UnreadableError ? "store" : "io";
    return { outcome: "failed", reason, message: `the archive waits: ${message}` };
  } finally {
    removeTree(aside);
  }
}

function exchange(home: string, aside: string): void {
  const [state, before] = [join(home, STATE_FOLDER), join(home, BEFORE)];
  removeTree(before);
  if (existsSync(state)) renameSync(state, before);
  renameSync(join(aside, STATE_FOLDER), state);
}

export function dropStateBefore(home: string): void {
  removeTree(join(home, BEFORE));
}

export function bringStateBack(home: string): void {
  const [state, before] = [join(home, STATE_FOLDER), join(home, BEFORE)];
  removeTree(state);
  if (existsSync(before)) renameSync(before, state);
}

/** The agent goes on with the state that it had. */
export async function refuse(
  { host, log }: Pick<IntakeParts, "host" | "log">,
  { id }: { id: string },
  problem: string,
): Promise<TakenIn> {
  log.warn(`an archive was not taken in: ${problem}`);
  const told = await host.importRefused({ id, problem: problem.slice(0, 1000) });
  if (told.ok) return { outcome: "none" };
  return { outcome: "failed", reason: told.reason, message: told.message };
}

async function* bytesOf(
  { bytes, partBytes, parts }: Waiting,
  host: HostClient,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let n = 0; n < parts; n++) {
    const part = await host.importPart(n, Math.min(partBytes, bytes - n * partBytes));
    if (!part.ok) throw new UnreadableError(`part ${n}: ${part.reason}: ${part.message}`);
    yield part.value;
  }
}

/** Answers every file and folder that was written. */
async function unpackInto(
  folder: string,
  tar: AsyncIterable<Uint8Array>,
  packedBytes: number,
  root: string,
): Promise<string[]> {
  const intake = new Intake(packedBytes);
  const written = new Set<string>();
  const modes = new Map<string, number>();
  const links: Extract<Decision, { do: "link" }>[] = [];
  let files = 0;
  const makeFolder = (path: string) => {
    for (const each of [...parentsOf(path), path]) {
      mkdirSync(join(folder, each), { recursive: true, mode: 0o700 });
      written.add(join(folder, each));
    }
  };
  for await (const entry of readTar(tar)) {
    // What was judged once is judged again: these are other bytes from the same place.
    const decision = intake.decide(entry, intake.inspect(entry), root);
    if (decision.do === "skip") continue;
    if (decision.do === "folder") {
      makeFolder(decision.path);
      modes.set(join(folder, decision.path), (entry.mode & 0o777) | 0o700);
      continue;
    }
    makeFolder(dirname(decision.path));
    if (decision.do === "link") {
      links.push(decision);
      continue;
    }
    const path = join(folder, decision.path);
    await writeEntry(path, entry);
    written.add(path);
    files += 1;
  }
  if (files === 0) throw new RefusedArchiveError("nothing in it can be taken in");
  for (const { path, target } of links) symlinkSync(target, join(folder, path));
  for (const [path, mode] of modes) chmodSync(path, mode);
  return [...written];
}

function parentsOf(path: string): string[] {
  const parent = dirname(path);
  return parent === "." ? [] : [...parentsOf(parent), parent];
}

async function writeEntry(path: string, entry: TarEntry): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = openSync(path, flags, 0o600);
  try {
    let size = 0;
    for await (const chunk of entry.body()) {
      for (let at = 0; at < chunk.byteLength;) at += writeSync(file, chunk, at);
      size += chunk.byteLength;
    }
    if (size !== entry.size) throw new TarError(`${entry.path} is not whole`);
    fchmodSync(file, (entry.mode & 0o777) | 0o600);
    const { modified } = entry;
    if (modified >= 0 && modified <= LATEST) futimesSync(file, modified, modified);
  } finally {
    closeSync(file);
  }
}
