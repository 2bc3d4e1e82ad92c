/**
 * Continuous backups of the running agent: restore before it starts, then a generation whenever its
 * content has changed, and one more before it stops.
 *
 * Fails closed: no commit before a restore has ended well, none after the Worker said that a newer
 * sandbox has begun. A failed commit is tried again and is visible until one works.
 */
import { join } from "node:path";
import type { BackupStatus, Reason, RestorePlan } from "../../protocol/backup.ts";
import { makeGeneration, type Base, type Made } from "./generation.ts";
import { dropLeftBehind, OWN_FOLDER, setAside, type Asked, type Mark } from "./home.ts";
import { takeInImport } from "./imported.ts";
import { PassTimes } from "./pass-times.ts";
import { ReaderClient } from "./reader-client.ts";
import { keepLeftBehind } from "./recovery.ts";
import type { Restored } from "./restore.ts";
import { drillRestore, restoreHome } from "./restoring.ts";
import type { StateBackupsParts } from "./state-backups-parts.ts";
import { Unanswered } from "./unanswered.ts";

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
  private readonly times: PassTimes;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private turn: Promise<unknown> = Promise.resolve();
  private readonly unanswered = new Unanswered();
  private rewrite: boolean;
  private watching = false;

  constructor(parts: StateBackupsParts) {
    this.parts = parts;
    this.rewrite = parts.settings.rewrite === true;
    this.times = new PassTimes(parts.settings.intervalMs);
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
      const problem = left === undefined ? undefined : await keepLeftBehind(this.parts, left);
      // Its process comes up while the packs are on their way.
      if (problem === undefined) await this.startReader();
      restored = problem ?? (await restoreHome(this.parts, () => this.startReader()));
      if (restored.outcome !== "failed") this.drop();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      restored = { outcome: "failed", reason: "io", message };
    }
    if (restored.outcome === "failed") return this.unrestored(restored);
    const list = restored.outcome === "restored" ? restored.list : undefined;
    let base: Base = { generation: restored.generation, list };
    try {
      const taken = await takeInImport(this.parts, base);
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

  /** Restores a generation into a scratch folder, checks it and leaves nothing behind. */
  drill(plan: RestorePlan): Promise<Restored> {
    return drillRestore(this.parts, plan);
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
    const wait = this.times.next(this.dirtySince) - this.parts.now();
    this.timer = setTimeout(() => void this.commit("change"), Math.max(0, wait));
  }

  private async pass(reason: Reason): Promise<Made> {
    const { base } = this;
    if (base === undefined || this.state !== "watching") {
      return { ok: false, reason: "closed", message: `backups are ${this.state}` };
    }
    clearTimeout(this.timer);
    const since = this.dirtySince;
    this.dirtySince = undefined;
    this.times.began(this.parts.now());
    const sealed = this.parts.seal();
    const made = await this.attempt(base, reason);
    this.times.ended(this.parts.now());
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
      if (!made.ok && made.unsure !== undefined) this.unanswered.add(made.unsure);
      if (made.ok || made.reason !== "parent") return made;
      const landed = await this.unanswered.landed(host);
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
    return {
      agentId: this.parts.agentId,
      generation,
      asked: [...this.unanswered.asked(), ...asked],
    };
  }

  private succeeded(made: Extract<Made, { ok: true }>): void {
    const { log, now } = this.parts;
    if (this.failures > 0) log.info(`backups work again after ${this.failures} failures`);
    this.failures = 0;
    this.lastError = undefined;
    this.times.succeeded(made);
    this.unkept = made.unkept;
    this.unanswered.clear();
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
    this.times.failed(now(), this.failures, made.retryAfterMs);
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
