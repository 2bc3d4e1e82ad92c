/** Backups of a large state in the real runtime: what the Worker holds, against what an isolate may. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { startBackupRuntime, type BackupRuntime } from "../test/support/backup-runtime.ts";
import { LOOK_EVERY_MS } from "../test/support/isolate-heap.ts";
import { fill } from "./backup-measure.ts";
import { buildSandboxPrograms, startSandboxProcess } from "./backup-processes.ts";
import type { Bench, Goal, Outcome } from "./bench.ts";
import { watchRuntime, type Held, type RuntimeWatch } from "./runtime-watch.ts";

const STATE_MB = 2000;
/** https://developers.cloudflare.com/workers/platform/limits/#memory */
const ISOLATE_MB = 128;
/** What the state comes to in the bucket, in packs as the supervisor makes them. */
const PACKS = 60;
const PACK_BYTES = 16 * 1024 ** 2;
/** As a restore reads them. */
const READS_AT_ONCE = 3;

type Tell = (text: string) => void;

export const backupsMemory: Bench = {
  name: "backups-memory",
  about: "a Worker's memory while 2 GB of state go through it",
  minutes: 3,
  async run({ tell }): Promise<Outcome> {
    const ours = await inRuntime((runtime, watch, identity) =>
      throughBackups(runtime, watch, identity, tell),
    );
    tell("the bucket alone");
    const alone = await inRuntime(throughBucket);
    const most = (what: keyof Held, held: Record<string, Held>) =>
      Math.max(...Object.values(held).map((one) => one[what]));
    const grown = most("grown", ours);
    return {
      how:
        "A database of 2 GB, half of it incompressible, encrypted: committed, restored and downloaded as an " +
        "archive, one after the other. The supervisor's side is a process of its own; the Worker's is the " +
        "product's own door out of the sandbox with the backups in a Durable Object, in workerd, over " +
        "Miniflare's R2 on the disk. An isolate's memory is its heap with the buffers behind it, asked of its " +
        `inspector every ${LOOK_EVERY_MS} ms. The process: how far its resident memory grew at its highest, ` +
        "from before the first byte; workerd's own buffers, the isolate that plays R2, and all that was freed and " +
        "not given back to the system are in it. The bucket alone: a Worker that does nothing but put and get " +
        `${PACKS} packs of 16 MB, ${READS_AT_ONCE} reads at once.`,
      table: {
        head: ["", "the Worker's isolate", "R2's isolate", "the process grew"],
        rows: [...rows("", ours), ...rows("bucket alone: ", alone)],
      },
      goals: [
        goal("the Worker's isolate", most("worker", ours)),
        goal("growth of the process", grown),
        goal("of it above that of the bucket alone", grown - most("grown", alone)),
      ],
    };
  },
};

async function inRuntime(
  work: (
    runtime: BackupRuntime,
    watch: RuntimeWatch,
    identity: string,
  ) => Promise<Record<string, Held>>,
): Promise<Record<string, Held>> {
  const identity = await generateX25519Identity();
  const runtime = await startBackupRuntime(identity);
  try {
    await runtime.claim(1);
    const watch = await watchRuntime(runtime);
    try {
      return await work(runtime, watch, identity);
    } finally {
      await watch.close();
    }
  } finally {
    await runtime.close();
  }
}

async function throughBackups(
  runtime: BackupRuntime,
  watch: RuntimeWatch,
  identity: string,
  tell: Tell,
): Promise<Record<string, Held>> {
  const folder = mkdtempSync(join(tmpdir(), "backup-memory-"));
  const make = (name: string) => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };
  const recipient = await identityToRecipient(identity);
  const programs = await buildSandboxPrograms(make("program"));
  const ends: (() => Promise<void>)[] = [];
  const sandboxIn = (home: string) => {
    const sandbox = startSandboxProcess(programs, home, runtime.origin, recipient);
    ends.push(() => sandbox.end());
    return sandbox;
  };
  try {
    const home = make("home");
    const writing = sandboxIn(home);
    await writing.ask("restore");
    tell("making the state");
    const database = fill(home, STATE_MB);
    tell("commit");
    watch.begin();
    await writing.ask("commit");
    const commit = await watch.take();
    database.close();
    await writing.end();
    rmSync(home, { recursive: true });

    tell("restore");
    await runtime.claim(2);
    await sandboxIn(make("restored")).ask("restore");
    const restore = await watch.take();

    tell("download");
    await drain(await runtime.exported());
    return { commit, restore, download: await watch.take() };
  } finally {
    for (const end of ends) await end();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function throughBucket(
  { origin }: BackupRuntime,
  watch: RuntimeWatch,
): Promise<Record<string, Held>> {
  const at = (n: number) => `${origin}/__plain/${n}`;
  watch.begin();
  for (let n = 0; n < PACKS; n++) {
    const reply = await fetch(at(n), { method: "PUT", body: randomBytes(PACK_BYTES) });
    if (!reply.ok) throw new Error(await reply.text());
  }
  const put = await watch.take();
  const left = Array.from({ length: PACKS }, (_, n) => n);
  const read = async (): Promise<void> => {
    for (let n = left.shift(); n !== undefined; n = left.shift())
      await drain((await fetch(at(n))).body);
  };
  await Promise.all(Array.from({ length: READS_AT_ONCE }, read));
  return { put, get: await watch.take() };
}

async function drain(body: ReadableStream<Uint8Array> | null): Promise<void> {
  let bytes = 0;
  for await (const chunk of body ?? []) bytes += chunk.byteLength;
  if (bytes === 0) throw new Error("nothing came");
}

function rows(before: string, held: Record<string, Held>): string[][] {
  return Object.entries(held).map(([what, { worker, bucket, grown }]) => [
    `${before}${what}`,
    shown(worker),
    shown(bucket),
    shown(grown),
  ]);
}

function shown(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(0)} MB`;
}

function goal(what: string, bytes: number): Goal {
  const most = ISOLATE_MB * 1024 ** 2;
  return { what, measured: shown(bytes), goal: `≤ ${ISOLATE_MB} MB`, met: bytes <= most };
}
