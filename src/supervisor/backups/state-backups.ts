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
import { dropLeftBehind, setAside } from "./home.ts";
import type { Asked, LeftBehind, Mark } from "./home.ts";
import { HomeReader } from "./home-reader.ts";
import { takeInImport } from "./imported.ts";
import { PassTimes } from "./pass-times.ts";
import type { ReaderClient } from "./reader-client.ts";
import { keepLeftBehind } from "./recovery.ts";
import type { PassedOver, Restored } from "./restore.ts";
import { drillRestore, restoreHome } from "./restoring.ts";
import { Standing } from "./standing.ts";
import type { StateBackupsParts } from "./state-backups-parts.ts";
import { Unanswered } from "./unanswered.ts";
import { endUnfinished } from "./unfinished.ts";
import { keepUnsaved, reportUnsaved } from "./unsaved.ts";

export class StateBackups {
  private readonly parts: StateBackupsParts;
  private base: Base | undefined;
  private readonly standing = new Standing();
  private readonly reader: HomeReader;
  private readonly times: PassTimes;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private turn: Promise<unknown> = Promise.resolve();
  private readonly unanswered = new Unanswered();
  private rewrite: boolean;
  private recipient: string | undefined;
  private watching = false;

  constructor(parts: StateBackupsParts) {
    this.parts = parts;
    this.rewrite = parts.settings.rewrite === true;
    this.recipient = parts.settings.recipient;
    this.times = new PassTimes(parts.settings.intervalMs);
    this.reader = new HomeReader(parts, this.changed);
  }

  status(): BackupStatus {
    return this.standing.status(this.base?.generation ?? 0);
  }

  /**
   * Makes the home hold the newest generation and nothing else. What a former sandbox left there is
   * kept as a generation first, when it is newer. Only a good end allows commits.
   */
  async restore(): Promise<Restored> {
    const { home, now } = this.parts;
    let restored: Restored;
    try {
      const left = setAside(home, now());
      const end = left === undefined ? undefined : await keepLeftBehind(this.parts, left);
      if (end?.outcome === "failed") restored = end;
      else {
        // Its process comes up while the packs are on their way.
        await this.reader.start();
        restored = await restoreHome(this.parts, () => this.reader.start());
        if (restored.outcome !== "failed") this.clear(end?.outcome === "unkept" ? left : undefined);
      }
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
      this.standing.state = "watching";
      await this.openReader(base);
      // The home has its mark by now.
      endUnfinished(home);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return this.unrestored({ outcome: "failed", reason: "reader", message });
    }
    this.parts.onChange();
    return restored;
  }

  /** What is in the way of nothing any more must not stop a start. */
  private clear(unsaved: LeftBehind | undefined): void {
    const { home, log, now } = this.parts;
    try {
      if (unsaved === undefined) dropLeftBehind(home);
      else keepUnsaved(home, unsaved.folder, now());
      this.standing.unsaved = reportUnsaved(home);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      log.warn(`what was left behind could not be put away: ${message}`);
    }
    for (const { path, why } of this.standing.unsaved) log.error(`${join(home, path)}: ${why}`);
  }

  private unrestored(failed: Extract<Restored, { outcome: "failed" }>): Restored {
    this.base = undefined;
    this.reader.close();
    const message = `the backup could not be restored: ${failed.reason}: ${failed.message}`;
    this.standing.unrestored(message, this.parts.now());
    this.parts.onChange();
    return failed;
  }

  /**
   * Restores a generation into a scratch folder, checks it and leaves nothing behind. What the next
   * generation would need and is damaged in the bucket is here still: all content is kept anew.
   */
  async drill(plan: RestorePlan): Promise<Restored> {
    const restored = await drillRestore(this.parts, plan);
    const found = restored.outcome === "empty" ? [] : (restored.passedOver ?? []);
    const { base } = this;
    const isNeeded = ({ generation, pack }: PassedOver) =>
      pack === undefined
        ? generation === base?.generation
        : base?.list?.packs.includes(pack) === true;
    if (found.some(isNeeded)) {
      this.parts.log.error("a pack that is needed is damaged: all content is kept again");
      this.rewrite = true;
      this.poke();
    }
    return restored;
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
    this.reader.close();
  }

  private readonly changed = (): void => {
    this.standing.dirtySince ??= this.parts.now();
    this.schedule();
  };

  private schedule(): void {
    if (!this.watching || this.standing.state !== "watching") return;
    clearTimeout(this.timer);
    const wait = this.times.wait(this.parts.now(), this.standing.dirtySince);
    this.timer = setTimeout(() => void this.commit("change"), wait);
  }

  private async pass(reason: Reason): Promise<Made> {
    const { base } = this;
    if (base === undefined || this.standing.state !== "watching") {
      return { ok: false, reason: "closed", message: `backups are ${this.standing.state}` };
    }
    clearTimeout(this.timer);
    const since = this.standing.dirtySince;
    this.standing.dirtySince = undefined;
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
    const { agentId, host, log, now } = this.parts;
    try {
      const reader = await this.openReader(base);
      const { recipient } = this;
      const announce = (asked: Asked) => this.announce(reader, base, asked);
      const { rewrite } = this;
      // A drill may ask for it again meanwhile.
      this.rewrite = false;
      const parts = { agentId, host, reader, recipient, now, announce, rewrite };
      const made = await makeGeneration(parts, base, reason);
      if (rewrite && !(made.ok && made.made)) this.rewrite = true;
      if (!made.ok && made.unsure !== undefined) this.unanswered.add(made.unsure);
      if (made.ok) return made;
      let again: Base | undefined;
      if (made.reason === "parent") again = await this.unanswered.landed(host);
      else if (made.reason === "rekeyed") {
        log.info("the backups have another key: all content is kept again, with that");
        this.recipient = made.recipient;
        this.rewrite = true;
        again = base;
      }
      if (again === undefined) return made;
      this.base = again;
      this.reader.close();
      return await this.attempt(again, reason);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { ok: false, reason: "reader", message };
    }
  }

  private openReader(base: Base): Promise<ReaderClient> {
    return this.reader.open(base.list, this.markOf(base));
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
    const { failures } = this.standing;
    if (failures > 0) log.info(`backups work again after ${failures} failures`);
    this.standing.succeeded(made, now());
    this.times.succeeded(made);
    this.unanswered.clear();
    if (!made.made) return;
    this.base = { generation: made.list.generation, list: made.list };
  }

  private failed(made: Extract<Made, { ok: false }>, since: number | undefined): void {
    const { log, now } = this.parts;
    this.standing.failed(made, since, now());
    const { failures } = this.standing;
    log.error(`backup failed (${failures}): ${made.reason}: ${made.message}`);
    if (made.reason === "stale" || made.reason === "parent" || made.reason === "unauthorised") {
      this.standing.state = "fenced";
      return;
    }
    // A reader that failed may be out of step: a new one begins from what is known to be kept.
    this.reader.close();
    this.times.failed(now(), failures, made.retryAfterMs);
  }
}
