/** The state that the recording agent tells, and the streams of whoever follows it. */
import type { AgentStatus } from "../../src/worker/agent-calls.ts";

const READY = {
  agentId: "main",
  revisions: { devices: 1, audit: 1 },
  kept: false,
  channels: { waiting: 0, dead: 0 },
  phase: "ready",
  since: 0,
  startGeneration: 1,
  timings: [
    { phase: "starting", ms: 400 },
    { phase: "booting", ms: 9000 },
  ],
  sleepAfter: 600_000,
  supervisor: {
    protocol: 1,
    agentId: "main",
    startGeneration: 1,
    gateway: { state: "ready", restarts: 0, readyMs: 9000, version: "2026.9.6" },
    isolation: "userns",
    memory: { supervisor: 61_000_000, gateway: 840_000_000 },
    uptimeMs: 7_510_000,
    connections: 2,
    busy: false,
    backups: {
      ...{ state: "watching", generation: 27, failures: 0 },
      unkept: [{ path: ".openclaw/workspace/pipe", why: "it is not a file, a folder or a link" }],
    },
  },
} satisfies AgentStatus;

type Matter = "devices" | "audit" | "backups";
type Writer = WritableStreamDefaultWriter<Uint8Array>;

export class RecordingBoard {
  readonly #watchers = new Set<Writer>();
  readonly #shown: () => object;
  #revisions: Record<Matter, number> = { devices: 1, audit: 1, backups: 1 };
  /** A test may put anything in. */
  #life: Record<string, unknown> = { ...READY, since: Date.now() - 7_510_000 };

  /** @param shown what is told beside the phase, or in place of what is told here */
  constructor(shown: () => object) {
    this.#shown = shown;
  }

  /** Without what is null. */
  become(change: object): void {
    const kept = Object.entries({ ...this.#life, ...change }).filter(([, value]) => value !== null);
    this.#life = Object.fromEntries(kept);
    this.#tellAll();
  }

  changed(matter: Matter): void {
    this.#revisions = { ...this.#revisions, [matter]: this.#revisions[matter] + 1 };
    this.#tellAll();
  }

  enter(phase: string): void {
    this.#life = { ...this.#life, phase, since: Date.now() };
    this.changed("backups");
  }

  follow(): Response {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    this.#watchers.add(writer);
    writer.closed.catch(() => this.#watchers.delete(writer));
    this.#tell(writer);
    return new Response(readable, { headers: { "Content-Type": "text/event-stream" } });
  }

  #tell(writer: Writer): void {
    const present = { ...this.#life, revisions: this.#revisions, ...this.#shown() };
    const text = `data: ${JSON.stringify(present)}\n\n`;
    writer.write(new TextEncoder().encode(text)).catch(() => this.#watchers.delete(writer));
  }

  #tellAll(): void {
    for (const writer of this.#watchers) this.#tell(writer);
  }
}
