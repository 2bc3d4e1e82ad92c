/** Rooms that nothing is behind: what they answer is what the tests of the Worker look for. */
import type { Panic } from "../../src/worker/audit/panic.ts";
import type { DeviceCalls } from "../../src/worker/devices/calls.ts";
import type { Done } from "../../src/worker/done.ts";
import type { EgressCalls } from "../../src/worker/egress/calls.ts";

const HOSTILE = { deviceId: "ab".repeat(32), name: `<img src=x onerror="document.title='owned'">` };
/** Its gateway does not answer. */
const SLOW = "ee".repeat(32);
const KNOWN = {
  deviceId: "cd".repeat(32),
  name: "Laptop",
  platform: "linux",
  lastSeenAt: 1_800_000_000_000,
  recorded: true,
};

/** One device is known, and another asks until it is approved. */
export class RecordingDevices implements DeviceCalls {
  readonly #changed: () => void;
  #approved = false;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  async list() {
    return {
      ok: true as const,
      pending: this.#approved ? [] : [HOSTILE],
      paired: this.#approved ? [KNOWN, { ...HOSTILE, recorded: true }] : [KNOWN],
    };
  }

  async approve(deviceId: string): Promise<Done> {
    if (deviceId === SLOW) await scheduler.wait(30_000);
    this.#approved = true;
    this.#changed();
    return { ok: true };
  }

  async reject(): Promise<Done> {
    return { ok: true };
  }

  async rename(): Promise<Done> {
    return { ok: true };
  }

  async remove(): Promise<Done> {
    return { ok: true };
  }
}

export class RecordingEgress implements EgressCalls {
  readonly #panic: Panic;

  constructor(panic: Panic) {
    this.#panic = panic;
  }

  async held(): Promise<boolean> {
    return this.#panic.held !== undefined;
  }

  async countRefused(): Promise<void> {}

  async refusedHosts() {
    return [{ host: "evil.example", times: 2, lastAt: 1 }];
  }
}
