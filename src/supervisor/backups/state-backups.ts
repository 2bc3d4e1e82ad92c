/**
 * Continuous backups of the running agent: restore before it starts, then a generation whenever its
 * content has changed, and one more before it stops.
 *
 * Fails closed: no commit before a restore has ended well, none after the Worker said that a newer
 * sandbox has begun. A failed commit is tried again and is visible until one works.
 */
import {
  type BackupSettings,
  type BackupStatus,
  type Reason,
  type RestorePlan,
} from "../../protocol/backup.ts";
import { existsSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  dropLeftBehind,
  followsFrom,
  OWN_FOLDER,
  setAside,
  type Asked,
  type LeftBehind,
  type Mark,
} from "./home.ts";
import { bringStateBack, dropStateBefore, refuse, takeIn } from "./intake.ts";
import { makeGeneration, type Base, type Made, type Unsure } from "./generation.ts";
import type { HostClient } from "./host-client.ts";
import { ReaderClient, type ReaderProcess } from "./reader-client.ts";
import { readListOf, restoreInto, type Restored } from "./restore.ts";

export interface StateBackupsParts {
  agentId: string;
  home: string;
  settings: BackupSettings;
  host: HostClient;
  /** Starts the reader as the agent. */
  openReader: () => Promise<ReaderProcess>;
  /** Makes a restored file or folder the agent's. */
  give: (path: string) => void;
  /** Bytes that a drill may take of where a folder lies. */
  room: (folder: string) => number;
  log: { info(text: string): void; warn(text: string): void; error(text: string): void };
  now: () => number;
  wait: (ms: number) => Promise<void>;
  /** A pass begins to read; what it answers is called when all of it is kept. */
  seal: () => () => void;
  onChange: () => void;
}

/** Changes that come together are kept together. */
const SETTLE_MS = 250;
/** Seen under the same name by the agent's programs, which have a /tmp of their own. */
const DRILL_ROOT = existsSync("/var/tmp") ? "/var/tmp" : tmpdir();
/** The safety net under the watches of the file system. */
const PERIOD_MS = 60_000;
/** Where watches are not to be had. */
const UNWATCHED_MS = 2_000;
/** Between two passes at least this many times the last one's processor time: large states cost. */
const REST_FACTOR = 2;
const RETRY_MS = [1_000, 5_000, 15_000, 60_000] as const;
const PARALLEL_READS = 3;
const MOST_UNSURE = 3;

export class StateBackups {
  private readonly parts: StateBackupsParts;
  private base: Base | undefined;
  private state: BackupStatus["state"] = "restoring";
  private reader: ReaderClient | undefined;
  private dirtySince: number | undefined;
  private committedAt: number | undefined;
  private lastError: { at: number; message: string } | undefined;
  private failures = 0;
  private unkept: BackupStatus["unkept"] = [];
  private passBeganAt = 0;
  private passEndedAt = 0;
  private period = UNWATCHED_MS;
  private passCost = 0;
  private notBefore = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private turn: Promise<unknown> = Promise.resolve();
  /** Generations that may be in although no answer said so, oldest first. */
  private unsure: Unsure[] = [];
  private rewrite: boolean;
  private watching = false;

  constructor(parts: StateBackupsParts) {
    this.parts = parts;
    this.rewrite = parts.settings.rewrite === true;
  }

  status(): BackupStatus {
    return {
      state: this.state,
      generation: this.base?.generation ?? 0,
      failures: this.failures,
      unkept: this.unkept.map(({ path, why }) => ({
        path: path.slice(0, 300),
        why: why.slice(0, 200),
      })),
      ...(this.dirtySince === undefined ? {} : { dirtySince: this.dirtySince }),
      ...(this.committedAt === undefined ? {} : { committedAt: this.committedAt }),
      ...(this.lastError === undefined ? {} : { lastError: this.lastError }),
    };
  }

  /**
   * Makes the home hold the newest generation and nothing else. What a former sandbox left there is
   * kept as a generation first, when it is newer. Only a good end allows commits.
   */
  async restore(): Promise<Restored> {
    const { home } = this.parts;
    let restored: Restored;
    try {
      const left = setAside(home);
      const problem = left === undefined ? undefined : await this.recover(left);
      // Its process comes up while the packs are on their way.
      if (problem === undefined) await this.startReader();
      restored = problem ?? (await this.restoreInto(home));
      if (restored.outcome !== "failed") this.drop();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      restored = { outcome: "failed", reason: "io", message };
    }
    if (restored.outcome === "failed") return this.unrestored(restored);
    const list = restored.outcome === "restored" ? restored.list : undefined;
    let base: Base = { generation: restored.generation, list };
    try {
      const taken = await this.takeIn(base);
      if ("outcome" in taken) return this.unrestored(taken);
      base = taken;
      this.base = base;
      this.state = "watching";
      await this.openReader(base);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return this.unrestored({ outcome: "failed", reason: "reader", message });
    }
    this.parts.onChange();
    return restored;
  }

  /**
   * An archive that waits becomes the newest generation, on top of the state that was restored. The
   * home gets its mark only afterwards: what an interrupted attempt leaves counts as nothing.
   */
  private async takeIn(base: Base): Promise<Base | Extract<Restored, { outcome: "failed" }>> {
    const { agentId, home, host, give, log, now, settings } = this.parts;
    const taken = await takeIn({
      ...{ home, host, give, log },
      purge: (folder, databases) => this.purge(folder, databases),
    });
    if (taken.outcome === "failed") return taken;
    if (taken.outcome === "none") return base;
    const reader = new ReaderClient(await this.parts.openReader(), () => undefined);
    let made: Made;
    try {
      const scratch = join(home, OWN_FOLDER, "scratch");
      await reader.open({ home, scratch, known: base.list, watch: false });
      const { recipient } = settings;
      const parts = { agentId, host, reader, recipient, now, imported: taken.id };
      made = await makeGeneration(parts, base, "import");
    } finally {
      reader.close();
    }
    if (made.ok && made.made) {
      dropStateBefore(home);
      return { generation: made.list.generation, list: made.list };
    }
    if (!made.ok && made.reason !== "reader") {
      return { outcome: "failed", reason: made.reason, message: made.message };
    }
    const refused = await refuse(
      { host, log },
      taken,
      made.ok ? "it holds what the agent has already" : made.message,
    );
    if (refused.outcome === "failed") return refused;
    bringStateBack(home);
    return base;
  }

  private async purge(home: string, databases: string[]): Promise<void> {
    if (databases.length === 0) return;
    const reader = new ReaderClient(await this.parts.openReader(), () => undefined);
    try {
      for (const { path, problem } of await reader.purge(home, databases)) {
        this.parts.log.warn(`${path} of the archive could not be opened: ${problem}`);
      }
    } finally {
      reader.close();
    }
  }

  /** What is in the way of nothing any more must not stop a start. */
  private drop(): void {
    try {
      dropLeftBehind(this.parts.home);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.parts.log.warn(`what was left behind could not be removed: ${message}`);
    }
  }

  private unrestored(failed: Extract<Restored, { outcome: "failed" }>): Restored {
    this.base = undefined;
    this.reader?.close();
    this.reader = undefined;
    this.state = "failed";
    const message = `the backup could not be restored: ${failed.reason}: ${failed.message}`;
    this.lastError = { at: this.parts.now(), message: message.slice(0, 1000) };
    this.parts.onChange();
    return failed;
  }

  /** Undefined when nothing of it is in the way of a restore any more. */
  private async recover(left: LeftBehind): Promise<Restored | undefined> {
    const { agentId, host, log, settings, now, wait } = this.parts;
    const plan = await host.plan();
    if (!plan.ok) return { outcome: "failed", reason: plan.reason, message: plan.message };
    if (left.mark.agentId !== agentId || !followsFrom(left.mark, plan.value)) {
      log.info("what a former sandbox left behind is not newer than the backups");
      return undefined;
    }
    const parts = {
      ...{ agentId, host, wait, parallel: 1, scratch: true, room: 0 },
      ...{ give: () => undefined, check: noProblems },
    };
    const generation = plan.value.generation;
    // Of a damaged list nothing is reused: then all that was left behind is kept anew.
    const list =
      plan.value.outcome === "restore"
        ? await readListOf(plan.value, parts).catch(unlessDamaged)
        : undefined;
    const reader = new ReaderClient(await this.parts.openReader(), () => undefined);
    try {
      const scratch = join(left.folder, OWN_FOLDER, "scratch");
      this.giveLeft(left.folder);
      await reader.open({ home: left.folder, scratch, known: list, watch: false });
      const { recipient } = settings;
      const base = { generation, list };
      const made = await makeGeneration(
        { agentId, host, reader, recipient, now },
        base,
        "recovery",
      );
      if (made.ok) {
        if (made.made) log.warn(`kept what was left behind as generation ${made.list.generation}`);
        return undefined;
      }
      if (made.reason !== "reader") {
        return { outcome: "failed", reason: made.reason, message: made.message };
      }
      log.error(`what was left behind cannot be kept: ${made.message}`);
      return undefined;
    } finally {
      reader.close();
    }
  }

  /** The folder itself; what is in it is the agent's already. */
  private giveLeft(folder: string): void {
    this.parts.give(folder);
  }

  /**
   * Restores a generation into a scratch folder, checks it and leaves nothing behind. Until it is
   * complete the folder is closed to the agent; afterwards it is the agent's, whose own reader
   * empties it: nothing of more rights ever walks a tree that the agent could change meanwhile.
   */
  async drill(plan: RestorePlan): Promise<Restored> {
    const folder = mkdtempSync(join(DRILL_ROOT, "moltworker-drill-"));
    const progress = { given: false };
    try {
      return await this.restoreInto(folder, plan, progress);
    } finally {
      if (progress.given) removeIfEmpty(folder);
      else rmSync(folder, { recursive: true, force: true });
    }
  }

  private async restoreInto(
    target: string,
    plan?: RestorePlan,
    progress = { given: false },
  ): Promise<Restored> {
    const { agentId, home, host, give, room, wait } = this.parts;
    return restoreInto(
      target,
      {
        agentId,
        host,
        wait,
        parallel: PARALLEL_READS,
        scratch: target !== home,
        room: target === home ? Number.POSITIVE_INFINITY : room(target),
        give: (list) => {
          for (const { path } of [...list.folders, ...list.files]) give(join(target, path));
          progress.given = true;
          give(target);
        },
        check: (databases) =>
          target === home ? this.checkHome(databases) : this.checkScratch(target, databases),
      },
      plan,
    );
  }

  private async checkHome(databases: string[]): Promise<{ path: string; problem: string }[]> {
    if (databases.length === 0) return [];
    return (await this.startReader()).check(this.parts.home, databases, false);
  }

  private async checkScratch(
    folder: string,
    databases: string[],
  ): Promise<{ path: string; problem: string }[]> {
    const checker = new ReaderClient(await this.parts.openReader(), () => undefined);
    try {
      return await checker.check(folder, databases, true);
    } finally {
      checker.close();
    }
  }

  /** Begins to follow the state. The first pass compares all of it. */
  watch(): void {
    this.watching = true;
    this.changed();
  }

  /** Something happened that is worth keeping soon. */
  poke(): void {
    if (this.watching) this.changed();
  }

  /** One pass now, after the one under way. */
  commit(reason: Reason): Promise<Made> {
    const mine = this.turn.then(() => this.pass(reason));
    this.turn = mine;
    return mine;
  }

  /** No pass begins by itself any more; `commit` still works. */
  pause(): void {
    this.watching = false;
    clearTimeout(this.timer);
  }

  close(): void {
    this.pause();
    this.reader?.close();
    this.reader = undefined;
  }

  private readonly changed = (): void => {
    this.dirtySince ??= this.parts.now();
    this.schedule();
  };

  private schedule(): void {
    if (!this.watching || this.state !== "watching") return;
    clearTimeout(this.timer);
    const now = this.parts.now();
    const wanted =
      this.dirtySince === undefined ? this.passEndedAt + this.period : this.dirtySince + SETTLE_MS;
    const at = Math.max(
      wanted,
      this.passBeganAt + this.parts.settings.intervalMs,
      this.passEndedAt + this.passCost * REST_FACTOR,
      this.notBefore,
    );
    this.timer = setTimeout(() => void this.commit("change"), Math.max(0, at - now));
  }

  private async pass(reason: Reason): Promise<Made> {
    const { base } = this;
    if (base === undefined || this.state !== "watching") {
      return { ok: false, reason: "closed", message: `backups are ${this.state}` };
    }
    clearTimeout(this.timer);
    const since = this.dirtySince;
    this.dirtySince = undefined;
    this.passBeganAt = this.parts.now();
    const sealed = this.parts.seal();
    const made = await this.attempt(base, reason);
    this.passEndedAt = this.parts.now();
    if (made.ok) this.succeeded(made);
    else this.failed(made, since);
    if (made.ok) sealed();
    this.schedule();
    if (!made.ok || made.made) this.parts.onChange();
    return made;
  }

  private async attempt(base: Base, reason: Reason): Promise<Made> {
    const { agentId, host, settings, now } = this.parts;
    try {
      const reader = await this.openReader(base);
      const { recipient } = settings;
      const announce = (asked: Asked) => this.announce(reader, base, asked);
      const parts = { agentId, host, reader, recipient, now, announce, rewrite: this.rewrite };
      const made = await makeGeneration(parts, base, reason);
      if (!made.ok && made.unsure !== undefined) {
        this.unsure = [...this.unsure, made.unsure].slice(-MOST_UNSURE);
      }
      if (made.ok || made.reason !== "parent") return made;
      const landed = await this.landed();
      if (landed === undefined) return made;
      this.base = landed;
      this.reader?.close();
      this.reader = undefined;
      return await this.attempt(landed, reason);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { ok: false, reason: "reader", message };
    }
  }

  /** A home that cannot be marked is kept all the same: the mark matters only after a kill. */
  private async announce(reader: ReaderClient, base: Base, asked: Asked): Promise<void> {
    const problem = await reader.mark(this.markOf(base, asked));
    if (problem !== undefined) this.parts.log.warn(`the home could not be marked: ${problem}`);
  }

  private markOf({ generation }: Base, ...asked: Asked[]): Mark {
    const unsure = this.unsure.map(({ list, listSha256 }) => ({
      generation: list.generation,
      listSha256,
    }));
    return { agentId: this.parts.agentId, generation, asked: [...unsure, ...asked] };
  }

  /**
   * The newest generation when it is one of this sandbox's own whose answer was lost: what follows
   * builds on that, and the sandbox is not taken for one that a newer has replaced.
   */
  private async landed(): Promise<Base | undefined> {
    if (this.unsure.length === 0) return undefined;
    const plan = await this.parts.host.plan();
    if (!plan.ok || plan.value.outcome !== "restore") return undefined;
    const { generation, listSha256 } = plan.value;
    const found = this.unsure.find((one) => one.listSha256 === listSha256);
    this.unsure = [];
    return found === undefined ? undefined : { generation, list: found.list };
  }

  private succeeded(made: Extract<Made, { ok: true }>): void {
    const { log, now } = this.parts;
    if (this.failures > 0) log.info(`backups work again after ${this.failures} failures`);
    this.failures = 0;
    this.lastError = undefined;
    this.notBefore = 0;
    this.passCost = made.cpuMs;
    this.period = made.watching ? PERIOD_MS : UNWATCHED_MS;
    this.unkept = made.unkept;
    this.unsure = [];
    if (!made.made) return;
    this.rewrite = false;
    this.committedAt = now();
    this.base = { generation: made.list.generation, list: made.list };
  }

  private failed(made: Extract<Made, { ok: false }>, since: number | undefined): void {
    const { log, now } = this.parts;
    this.failures += 1;
    this.dirtySince = since ?? this.dirtySince ?? now();
    this.lastError = { at: now(), message: `${made.reason}: ${made.message}`.slice(0, 1000) };
    log.error(`backup failed (${this.failures}): ${made.reason}: ${made.message}`);
    if (made.reason === "stale" || made.reason === "parent" || made.reason === "unauthorised") {
      this.state = "fenced";
      return;
    }
    // A reader that failed may be out of step: a new one begins from what is known to be kept.
    this.reader?.close();
    this.reader = undefined;
    const pause = RETRY_MS[Math.min(this.failures, RETRY_MS.length) - 1] ?? 0;
    this.notBefore = now() + Math.max(pause, made.retryAfterMs ?? 0);
  }

  private async startReader(): Promise<ReaderClient> {
    if (this.reader?.alive) return this.reader;
    this.reader = new ReaderClient(await this.parts.openReader(), this.changed);
    return this.reader;
  }

  private async openReader(base: Base): Promise<ReaderClient> {
    const reader = await this.startReader();
    if (reader.opened) return reader;
    await reader.open({
      home: this.parts.home,
      scratch: join(this.parts.home, OWN_FOLDER, "scratch"),
      known: base.list,
      watch: true,
      mark: this.markOf(base),
    });
    return reader;
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Something of the agent's is in there; it is the agent's now.
  }
}

function noProblems(): Promise<[]> {
  return Promise.resolve([]);
}

function unlessDamaged(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "damaged") return undefined;
  throw error;
}
