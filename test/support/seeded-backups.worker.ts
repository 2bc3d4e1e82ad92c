/**
 * The backups of an agent with weeks behind it, as the Durable Object keeps them: the real room over
 * a real bucket. Only the sandbox's end of the wire is played: it commits what it is told to.
 */
import type { Reason, RestorePlan } from "../../src/protocol/backup.ts";
import { AgentBackups } from "../../src/worker/agent/backups/agent-backups.ts";
import { BUDGET } from "../../src/worker/agent/budget.ts";
import { ControlPort } from "../../src/worker/agent/control.ts";
import { RecordStore } from "../../src/worker/agent/store/records.ts";
import { migrate } from "../../src/worker/agent/store/schema.ts";
import type { Done } from "../../src/worker/done.ts";
import { Backups } from "../../src/worker/backups/backups.ts";
import { DEFAULT_BOUNDS } from "../../src/worker/backups/bounds.ts";
import type { BackupCall } from "../../src/worker/backups/calls.ts";
import { backupKeys } from "../../src/worker/backups/cipher.ts";
import { DEFAULT_RETENTION } from "../../src/worker/backups/retention.ts";
import { configOf } from "../../src/worker/config.ts";
import type { Env } from "../../src/worker/env.ts";

type Sql = ConstructorParameters<typeof RecordStore>[0];
type Ask = (call: BackupCall) => Promise<object>;

const HOUR = 3_600_000;
const TOKEN = "control-token-of-the-test-0123456789";

interface Past {
  hoursAgo: number;
  reason: Reason;
  changed: number;
  kilobytes: number;
}

const change = (hoursAgo: number, changed: number, kilobytes: number): Past => ({
  ...{ hoursAgo, reason: "change", changed, kilobytes },
});
const PAST: readonly Past[] = [
  ...Array.from({ length: 14 }, (_, n) => change(24 * (20 - n), 3 + n, 400)),
  ...[44.2, 43.1, 31, 28.4, 27.5].map((hoursAgo) => change(hoursAgo, 2, 9)),
  { hoursAgo: 26, reason: "final", changed: 1, kilobytes: 2 },
  { hoursAgo: 25.9, reason: "recovery", changed: 4, kilobytes: 120 },
  { hoursAgo: 9, reason: "manual", changed: 12, kilobytes: 2500 },
  ...[6.2, 5.4, 3.1, 1.2, 0.3].map((hoursAgo) => change(hoursAgo, 1, 4)),
];
/** One that a drill found damaged, and one that it restored. */
const DAMAGED = 17;
const VERIFIED = 22;
const PATHS = ["workspace/MEMORY.md", "agents/main/sessions/main.jsonl", "state/openclaw.sqlite"];

export class SeededBackups {
  readonly room: AgentBackups;
  startGeneration = 2;
  readonly #bucket: R2Bucket;
  readonly #recipient: string | undefined;

  private constructor(room: AgentBackups, bucket: R2Bucket, recipient: string | undefined) {
    this.room = room;
    this.#bucket = bucket;
    this.#recipient = recipient;
  }

  static async open(
    sql: Sql,
    env: Env,
    bucket: R2Bucket,
    changed: () => void,
  ): Promise<SeededBackups> {
    migrate(sql);
    const records = new RecordStore(sql, "main");
    const parsed = configOf(env);
    const identities = parsed.ok ? parsed.config.backups.identities : [];
    const keys = await backupKeys(identities);
    await live(bucket, records, keys);
    const sandbox: { of?: SeededBackups } = {};
    const control = new ControlPort(
      async (request) => Response.json((await sandbox.of?.asked(request)) ?? {}),
      BUDGET,
      () => TOKEN,
    );
    const room = new AgentBackups(env, "main", records, control, changed);
    const seeded = new SeededBackups(room, bucket, keys?.recipient);
    sandbox.of = seeded;
    await seeded.begin();
    return seeded;
  }

  /** Stops, changes what the next start begins with, starts again. */
  async rewritten(work: () => Promise<Done>, tell: (phase: string) => void): Promise<Done> {
    tell("draining");
    const done = await work();
    this.startGeneration += 1;
    tell("restoring");
    await this.begin();
    tell("ready");
    return done;
  }

  private async begin(): Promise<void> {
    await this.room.claim(this.startGeneration);
    const listed = await this.room.list();
    const generation = listed.ok ? (listed.generations[0]?.generation ?? 0) : 0;
    await this.ask({ call: "outcome", outcome: { outcome: "restored", generation } });
  }

  private readonly ask: Ask = (call) => this.room.answer(this.startGeneration, call);

  private async asked(request: Request): Promise<object> {
    if (new URL(request.url).pathname === "/v1/backup") {
      const listed = await this.room.list();
      const parent = listed.ok ? (listed.generations[0]?.generation ?? 0) : 0;
      const past: Past = { hoursAgo: 0, reason: "manual", changed: 2, kilobytes: 8 };
      const recipient = this.#recipient;
      const bucket = this.#bucket;
      const generation = await commit(this.ask, { bucket, parent, past, recipient });
      return { ok: true, made: true, generation };
    }
    const { plan }: { plan: RestorePlan } = await request.json();
    const { generation } = plan;
    await this.ask({ call: "outcome", outcome: { outcome: "restored", generation } });
    return { ok: true, generation, bytes: 1, ms: 1 };
  }
}

/** The weeks before, under a clock that goes with them. */
async function live(
  bucket: R2Bucket,
  records: RecordStore,
  keys: Awaited<ReturnType<typeof backupKeys>>,
): Promise<void> {
  const begun = Date.now();
  let now = begun - 21 * 24 * HOUR;
  const backups = new Backups({
    agentId: "main",
    bucket,
    notebook: {
      read: (name) => records.setting(`backups.${name}`),
      write: (name, value) => records.setSetting(`backups.${name}`, value),
    },
    keys: async () => keys,
    bounds: DEFAULT_BOUNDS,
    retention: DEFAULT_RETENTION,
    now: () => now,
    wait: async () => {},
    writeIntervalMs: 0,
    changed: () => {},
  });
  const ask: Ask = (call) => backups.answer(1, call);
  await backups.claim(1);
  await ask({ call: "outcome", outcome: { outcome: "restored", generation: 0 } });
  let parent = 0;
  for (const past of PAST) {
    now = begun - past.hoursAgo * HOUR;
    // The key came after the first ones.
    const recipient = parent < 3 ? undefined : keys?.recipient;
    parent = await commit(ask, { bucket, parent, past, recipient });
    if (parent !== DAMAGED && parent !== VERIFIED) continue;
    await backups.openDrill(parent);
    await ask({
      call: "outcome",
      outcome:
        parent === DAMAGED
          ? { outcome: "damaged", generation: parent, problem: "a pack is not what was written" }
          : { outcome: "restored", generation: parent },
    });
    backups.closeDrill();
  }
}

interface Commit {
  bucket: R2Bucket;
  parent: number;
  past: Past;
  recipient: string | undefined;
}

async function commit(ask: Ask, { bucket, parent, past, recipient }: Commit): Promise<number> {
  const generation = numberIn(await ask({ call: "reserve" }));
  const pack = `${generation}.0`;
  const bytes = new TextEncoder().encode(`pack ${pack} of the test`);
  const sha256 = await hex(bytes);
  const place = await ask({ call: "store-pack", pack, size: bytes.byteLength });
  await bucket.put(keyIn(place), bytes, { sha256 });
  const { reason, changed, kilobytes } = past;
  await ask({
    call: "commit",
    generation,
    request: {
      ...{ parent, reason, needs: [pack], listSha256: sha256 },
      packs: [{ id: pack, size: bytes.byteLength, sha256 }],
      ...(recipient === undefined ? {} : { recipient }),
      ...{ files: 180 + generation, bytes: 3_000_000 + generation * 60_000 },
      changes: {
        ...{ changed, removed: generation % 3, bytes: kilobytes * 1000 },
        paths: PATHS.slice(0, changed).map((path) => `.openclaw/${path}`),
      },
    },
  });
  return generation;
}

function valueIn(answer: object): object {
  if (!("ok" in answer) || answer.ok !== true) throw new Error(JSON.stringify(answer));
  return "value" in answer && typeof answer.value === "object" ? (answer.value ?? {}) : {};
}

function numberIn(answer: object): number {
  const value = valueIn(answer);
  return "generation" in value ? Number(value.generation) : 0;
}

function keyIn(answer: object): string {
  const value = valueIn(answer);
  return "key" in value ? String(value.key) : "";
}

async function hex(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
