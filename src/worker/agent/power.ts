/**
 * What starts and stops the agent, whoever wants it. Fails closed: nothing starts what the panic
 * button holds, and only the panic button and `shutDown` stop an agent whose state may still be kept.
 */
import type { Done, Ended } from "../done.ts";
import type { LastBackup } from "./backups/last-backup.ts";
import { messageOf } from "./budget.ts";
import { isLive } from "./lifecycle.ts";
import type { PowerParts } from "./power-parts.ts";

export const HELD =
  "The panic button holds this agent. An admin can open it again on the admin page.";

export class Power {
  readonly #parts: PowerParts;
  #adoption: Promise<void> | undefined;
  /** What the next sandbox begins from is being changed: whoever wants one waits for it. */
  #rewriting: Promise<unknown> | undefined;

  constructor(parts: PowerParts) {
    this.#parts = parts;
  }

  /** Takes over what a restart of the Durable Object left; whatever else is asked waits for it. */
  adopt(): Promise<void> {
    const { life, panic } = this.#parts;
    this.#adoption = life
      .adopt(panic.held !== undefined)
      .catch((error: unknown) => life.fail(messageOf(error)))
      .finally(() => {
        this.#adoption = undefined;
      });
    return this.#adoption;
  }

  /** Starts an agent that was stopped to be started again, when the Durable Object ended between the two. */
  async goOn(): Promise<void> {
    if (this.#parts.again.wanted) await this.wake();
  }

  /** The phase is the sandbox's own: taken over if there was one, and not one that ended unseen. */
  async settle(): Promise<void> {
    await this.#adoption;
    this.#parts.life.reconcile();
  }

  /** The start whose gateway is ready. */
  get readyStart(): number | undefined {
    const { phase, startGeneration } = this.#parts.life.life;
    return phase === "ready" ? startGeneration : undefined;
  }

  /** The same, unless the supervisor is starting its gateway again. */
  get takingStart(): number | undefined {
    const { supervisor } = this.#parts.life;
    return supervisor?.gateway.state === "ready" ? this.readyStart : undefined;
  }

  /** Asks how the gateway is; a supervisor that does not answer changes nothing. */
  async look(): Promise<void> {
    const { life, control } = this.#parts;
    const status = await control.status();
    if (status.ok) life.observe(status.value);
  }

  notReady(): { ok: false; reason: string } | undefined {
    const { phase } = this.#parts.life;
    return phase === "ready" ? undefined : { ok: false, reason: `The agent is ${phase}.` };
  }

  /** The one start that everybody shares. */
  async wake(): Promise<Done> {
    const { life, panic, parsed } = this.#parts;
    // Whether the panic button holds it is asked after every wait, and nothing waits from there on.
    while (this.#rewriting !== undefined || life.ending !== undefined) {
      await (this.#rewriting ?? life.ending);
    }
    if (panic.held !== undefined) return { ok: false, reason: HELD };
    if (parsed.ok) {
      this.#parts.again.note(false);
      return life.want();
    }
    const names = parsed.problems.map(({ name }) => name).join(", ");
    return { ok: false, reason: `The configuration has to be mended first: ${names}.` };
  }

  /** For what came in by itself: a failed start is tried again when it is due, not for each message. */
  async wakeForMessages(): Promise<void> {
    const { life, wakefulness } = this.#parts;
    await this.settle();
    const { phase, retryAt = 0 } = life.life;
    if (phase === "failed" && retryAt > Date.now()) return wakefulness.schedule();
    wakefulness.touch(Date.now());
    await this.wake();
  }

  async start(): Promise<Done> {
    this.#parts.wakefulness.touch(Date.now());
    await this.settle();
    return this.wake();
  }

  async stop(): Promise<Ended> {
    return this.#stop(false);
  }

  async #stop(again: boolean): Promise<Ended> {
    const kept = await this.#kept();
    // A sandbox that does not answer gains nothing by staying.
    if (kept.ok || kept.waiting !== "helps") {
      this.#parts.again.note(again);
      return this.#withLoss(await this.shutDown(), kept);
    }
    return this.#refused(`Not stopped, because the present state is not kept yet: ${kept.reason}.`);
  }

  /** The end of everything around the agent: what is not kept by now stays on the disk, if there is one. */
  async shutDown(): Promise<Done> {
    await this.#adoption;
    await this.#parts.life.drain();
    return this.#stopped();
  }

  async restart(): Promise<Ended> {
    const stopped = await this.#stop(true);
    if (stopped.ok) return { ...stopped, ...(await this.start()) };
    this.#parts.again.note(false);
    return stopped;
  }

  /** At once, and also a sandbox that no phase knows of: with it goes its way out. */
  async destroy(): Promise<Done> {
    const { life, sandbox, again } = this.#parts;
    again.note(false);
    await life.drain(true);
    const destroyed = await sandbox.destroy();
    return destroyed.ok ? this.#stopped() : destroyed;
  }

  /** Only an agent whose state is kept may sleep; one that became active meanwhile stays. */
  async sleep(): Promise<void> {
    const { life, wakefulness, backups, control, alarm, budget } = this.#parts;
    if (life.phase === "ready") {
      const kept = await backups.suspend();
      const still = wakefulness.next().act === "drain";
      if (kept.ok && !still) await control.resume();
      if (!kept.ok || !still) return alarm.set(Date.now() + budget.sleepRetry);
    }
    await life.drain();
  }

  /**
   * Between two sandboxes: the one before has made its last backup, the next begins from `change`.
   *
   * @param possible whether `change` can be made, asked before a state is given up for it
   */
  async rewritten(change: () => Promise<Done>, possible: () => Promise<Done>): Promise<Ended> {
    const wasLive = isLive(this.#parts.life.phase);
    const { done, again } = await this.#alone(() => this.#swap(change, possible, wasLive)).catch(
      async (error: unknown) => {
        await this.goOn();
        throw error;
      },
    );
    if (!again) return done;
    const started = await this.start();
    if (done.ok) return { ...done, ...started };
    return started.ok ? done : { ...done, reason: `${done.reason} ${started.reason}` };
  }

  /** @returns what came of it, and whether the agent is to be started again */
  async #swap(
    change: () => Promise<Done>,
    possible: () => Promise<Done>,
    wasLive: boolean,
  ): Promise<{ done: Ended; again: boolean }> {
    const kept = await this.#kept();
    if (!kept.ok && kept.waiting !== "is-in-vain") {
      const refused = this.#refused(`The present state is not kept: ${kept.reason}`);
      return { done: refused, again: false };
    }
    // What would be lost is not given up for nothing.
    const can: Done = kept.ok ? kept : await possible();
    if (!can.ok) return { done: can, again: false };
    this.#parts.again.note(wasLive);
    const stopped = await this.shutDown();
    if (!stopped.ok) {
      this.#parts.again.note(false);
      return { done: stopped, again: false };
    }
    const { lost } = this.#parts.life;
    if (kept.ok && wasLive && lost !== undefined) {
      const reason = `Nothing was changed, because the last backup before it failed: ${lost}`;
      return { done: { ok: false, reason }, again: true };
    }
    return { done: this.#withLoss(await change(), kept), again: wasLive };
  }

  /** The last backup of an agent that runs; of any other there is nothing new to keep. */
  async #kept(): Promise<LastBackup> {
    await this.#adoption;
    const { life, backups } = this.#parts;
    return life.phase === "ready" ? backups.keep() : { ok: true };
  }

  #refused(reason: string): Done {
    this.#parts.refused(reason);
    return { ok: false, reason };
  }

  /** One at a time, and nothing starts meanwhile. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#rewriting !== undefined) await this.#rewriting;
    const running = work();
    this.#rewriting = running.then(
      () => (this.#rewriting = undefined),
      () => (this.#rewriting = undefined),
    );
    return running;
  }

  /** Says of what was done all the same that a state is lost by it, unless the end itself kept it. */
  #withLoss(done: Done, kept: LastBackup): Ended {
    const isLost = this.#parts.life.lost !== undefined;
    if (kept.ok || kept.waiting !== "is-in-vain" || !isLost) return done;
    return { ...done, unkept: kept.reason };
  }

  #stopped(): Done {
    const { phase } = this.#parts.life;
    return phase === "stopped" ? { ok: true } : { ok: false, reason: `The agent is ${phase}.` };
  }
}
