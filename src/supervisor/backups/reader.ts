/**
 * The reader: a role of the program that the supervisor runs as the agent. It has no rights that the
 * agent lacks, so whatever links, crafted databases or swapped folders it meets, it reads nothing
 * that the agent could not.
 */
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { STATE_FOLDER } from "../../protocol/backup.ts";
import { purgeSecrets } from "./secret-tables.ts";
import { FolderWatch } from "./folder-watch.ts";
import { readFrames, writeFrame } from "./frames.ts";
import { holdsContent } from "./holds-content.ts";
import { HomeMark } from "./home-mark.ts";
import { readerCommand, type ReaderCommand, type ReaderMessage } from "./messages.ts";
import { KnownState } from "./known-state.ts";
import { problemInRestored } from "./restored-database.ts";
import { Scanner } from "./scan.ts";
import { messageOf } from "./tree.ts";
import { removeTree } from "./tree-removal.ts";
import { BrokenDatabaseError, HoleError } from "./unkeepable.ts";

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

class StateReader {
  private readonly tell: (message: ReaderMessage, bytes?: Buffer) => Promise<void>;
  private scanner: Scanner | undefined;
  private watcher: FolderWatch | undefined;
  private home = "";
  private mark: HomeMark | undefined;
  private readonly known = new KnownState();
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
    this.known.begin(command);
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
    this.known.forget();
    this.watcher?.begin();
    const resend = new Map(command.resend.map(({ path, parts }) => [path, new Set(parts)]));
    let sent = false;
    const found = await this.scanner.scan(
      this.known.files,
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
    const leftOut = found.unkept.some(({ path }) => holdsContent(this.home, path));
    // In a folder that was put aside nothing changes.
    const isStill = this.watcher === undefined || watching;
    const { changed, removed } = this.known.saw(found, isStill && !leftOut);
    if (changed) this.mark?.changed();
    // Of tens of thousands of files the list costs as much as the look.
    const nothing = { folders: [], links: [], files: [], unkept: found.unkept };
    await this.tell({
      say: "scanned",
      changed,
      ...(changed || sent ? found : nothing),
      removed,
      watching,
      cpuMs: cpuMsSince(before),
    });
  }

  private async settle(command: Command<"settle">): Promise<void> {
    const complete = this.known.settle(command.kept);
    if (command.generation !== undefined) this.mark?.kept(command.generation);
    await changesSoFar();
    if (complete && !this.announced) this.mark?.settled();
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
