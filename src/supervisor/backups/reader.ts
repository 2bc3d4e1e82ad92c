/**
 * The reader: a role of the program that the supervisor runs as the agent. It has no rights that the
 * agent lacks, so whatever links, crafted databases or swapped folders it meets, it reads nothing
 * that the agent could not.
 */
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { MAX_FILES, STATE_FOLDER } from "../../protocol/backup.ts";
import { purgeSecrets } from "./secret-tables.ts";
import { FolderWatch } from "./folder-watch.ts";
import { readFrames, writeFrame } from "./frames.ts";
import { holdsContent } from "./holds-content.ts";
import { HomeMark } from "./home-mark.ts";
import {
  readerCommand,
  type ObservedFile,
  type ReaderCommand,
  type ReaderMessage,
} from "./messages.ts";
import { coverOf } from "./file-list.ts";
import { problemInRestored } from "./restored-database.ts";
import { BrokenDatabaseError, HoleError, isSame, Scanner, type Known, type Scan } from "./scan.ts";
import { messageOf } from "./tree.ts";
import { removeTree } from "./tree-removal.ts";

type Command<T extends ReaderCommand["do"]> = Extract<ReaderCommand, { do: T }>;

export async function runStateReader(input: Readable, output: Writable): Promise<void> {
  const reader = new StateReader((message, bytes) => say(output, message, bytes));
  for await (const frame of readFrames(input)) {
    if (!("json" in frame)) continue;
    try {
      await reader.perform(readerCommand.parse(frame.json));
    } catch (error) {
      const message = (error instanceof Error ? error.message : String(error)).slice(0, 2000);
      await say(output, { say: "failed", message, ...whatOf(error) });
    }
  }
  await reader.close();
}

async function say(output: Writable, message: ReaderMessage, bytes?: Buffer): Promise<void> {
  await writeFrame(output, { json: message });
  if (bytes !== undefined) await writeFrame(output, { bytes });
}

/** What a scan saw, until it is known whether that is kept. */
interface Pending {
  known: Map<string, Known>;
  shape: Map<string, string>;
  /** Nothing of the state is left out, and what changes from then on is seen. */
  complete: boolean;
}

class StateReader {
  private readonly tell: (message: ReaderMessage, bytes?: Buffer) => Promise<void>;
  private scanner: Scanner | undefined;
  private watcher: FolderWatch | undefined;
  private home = "";
  private mark: HomeMark | undefined;
  private known = new Map<string, Known>();
  private shape = new Map<string, string>();
  private pending: Pending | undefined;
  private announced = false;

  constructor(tell: (message: ReaderMessage, bytes?: Buffer) => Promise<void>) {
    this.tell = tell;
  }

  perform(command: ReaderCommand): Promise<void> {
    switch (command.do) {
      case "open":
        return this.open(command);
      case "scan":
        return this.scan(command);
      case "settle":
        return this.settle(command);
      case "mark":
        return this.announce(command);
      case "check":
        return this.check(command);
      case "purge":
        return this.purge(command);
    }
  }

  /** What changed until now is still noted. */
  async close(): Promise<void> {
    await changesSoFar();
    this.watcher?.closeAll();
  }

  private open(command: Command<"open">): Promise<void> {
    this.scanner = new Scanner(command.home, command.scratch);
    this.known = new Map(command.known.map(({ path, ...known }) => [path, known]));
    this.shape = new Map(command.shape);
    this.home = command.home;
    this.mark = command.mark === undefined ? undefined : new HomeMark(command.home, command.mark);
    if (command.watch) this.watcher = new FolderWatch(command.home, () => this.changed());
    return this.tell({ say: "opened" });
  }

  private changed(): void {
    this.mark?.changed();
    if (this.announced) return;
    this.announced = true;
    this.tell({ say: "dirty" }).catch(() => undefined);
  }

  private async scan(command: Command<"scan">): Promise<void> {
    if (this.scanner === undefined) throw new Error("scan before open");
    const before = process.cpuUsage();
    await changesSoFar();
    this.announced = false;
    this.pending = undefined;
    this.watcher?.begin();
    const resend = new Map(command.resend.map(({ path, parts }) => [path, new Set(parts)]));
    let sent = false;
    const found = await this.scanner.scan(
      this.known,
      resend,
      (file, piece, inParts) => {
        sent = true;
        return this.tell(
          {
            say: "content",
            path: file.path,
            ...(inParts ? { part: piece.index } : {}),
            mode: file.mode,
            modified: file.modified,
            sha256: piece.sha256,
            size: piece.bytes.length,
          },
          piece.bytes,
        );
      },
      (path) => this.watcher?.enter(path),
    );
    const watching = this.watcher?.end() ?? false;
    const known = new Map(found.files.map((file) => [file.path, knownOf(file)]));
    // What cannot be read at the moment is not gone.
    const isCovered = coverOf(found.unkept);
    for (const [path, content] of this.known) {
      if (known.size === MAX_FILES) break;
      if (!known.has(path) && isCovered(path)) known.set(path, content);
    }
    const shape = shapeOf(found);
    const leftOut = found.unkept.some(({ path }) => holdsContent(this.home, path));
    // In a folder that was put aside nothing changes.
    const isStill = this.watcher === undefined || watching;
    this.pending = { known, shape, complete: isStill && !leftOut };
    const changed = this.differs(found, known, shape);
    if (changed) this.mark?.changed();
    // Of tens of thousands of files the list costs as much as the look.
    const nothing = { folders: [], links: [], files: [], unkept: found.unkept };
    await this.tell({
      say: "scanned",
      changed,
      ...(changed || sent ? found : nothing),
      removed: [...this.known.keys()].filter((path) => !known.has(path)).length,
      watching,
      cpuMs: cpuMsSince(before),
    });
  }

  private differs(found: Scan, now: Map<string, Known>, shape: Map<string, string>): boolean {
    if (now.size !== this.known.size || shape.size !== this.shape.size) return true;
    for (const [path, what] of shape) if (this.shape.get(path) !== what) return true;
    return found.files.some((file) => {
      const known = this.known.get(file.path);
      const isOther = known?.mode !== file.mode || known.database !== file.database;
      return isOther || !isSame(file, known);
    });
  }

  private async settle(command: Command<"settle">): Promise<void> {
    const pending = command.kept ? this.pending : undefined;
    this.pending = undefined;
    if (pending !== undefined) ({ known: this.known, shape: this.shape } = pending);
    if (command.generation !== undefined) this.mark?.kept(command.generation);
    await changesSoFar();
    if (pending?.complete === true && !this.announced) this.mark?.settled();
    else this.mark?.changed();
    await this.tell({ say: "settled" });
  }

  private announce(command: Command<"mark">): Promise<void> {
    try {
      if (this.mark === undefined) this.mark = new HomeMark(this.home, command.mark);
      else this.mark.write(command.mark);
      return this.tell({ say: "marked" });
    } catch (error) {
      return this.tell({ say: "marked", problem: messageOf(error) });
    }
  }

  private async purge(command: Command<"purge">): Promise<void> {
    const problems: { path: string; problem: string }[] = [];
    for (const path of command.databases) {
      const problem = purgeSecrets(join(command.home, path));
      if (problem !== undefined) problems.push({ path, problem: messageOf(problem) });
    }
    await this.tell({ say: "checked", problems });
  }

  private async check(command: Command<"check">): Promise<void> {
    const problems: { path: string; problem: string }[] = [];
    try {
      for (const path of command.databases) {
        const problem = await problemInRestored(join(command.home, path), command.scratch);
        if (problem !== undefined) problems.push({ path, problem: messageOf(problem) });
        await this.tell({ say: "checking" });
      }
    } finally {
      if (command.remove) {
        removeTree(command.scratch);
        removeTree(join(command.home, STATE_FOLDER));
      }
    }
    await this.tell({ say: "checked", problems });
  }
}

function whatOf(error: unknown): { what?: "broken" | "hole" } {
  if (error instanceof BrokenDatabaseError) return { what: "broken" };
  return error instanceof HoleError ? { what: "hole" } : {};
}

/** The second turn comes after one in which everything that had happened was told to the watches. */
async function changesSoFar(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function knownOf(file: ObservedFile): Known {
  const { mode, database, partSize, hashes } = file;
  return { mode, database, partSize, hashes };
}

export function shapeOf(state: {
  folders: readonly { path: string; mode: number }[];
  links: readonly { path: string; target: string }[];
}): Map<string, string> {
  return new Map([
    ...state.folders.map(({ path, mode }) => [path, `folder ${mode}`] as const),
    ...state.links.map(({ path, target }) => [path, `link ${target}`] as const),
  ]);
}
