/** Backups: what a small change costs, and a restore against what a person would run by hand. */
import { measure, type Measured, type Plan } from "./backup-measure.ts";
import type { Bench, Goal, Outcome } from "./bench.ts";
import { median, milliseconds, seconds } from "./statistics.ts";

const PLANS: readonly Plan[] = [
  { megabytes: 3, turns: 30, heartbeats: 20, restores: 5 },
  { megabytes: 20, turns: 30, heartbeats: 20, restores: 5 },
  { megabytes: 50, turns: 20, heartbeats: 10, restores: 3 },
  { megabytes: 500, turns: 5, heartbeats: 2, restores: 3 },
  { megabytes: 2000, turns: 2, heartbeats: 1, restores: 1 },
];
/** Seconds between two turns of a busy conversation, and between two heartbeats of an idle gateway. */
const TURN_EVERY_S = 10;
const HEARTBEAT_S = 30;

export const backups: Bench = {
  name: "backups",
  about: "commit and restore of the agent's state",
  minutes: 4,
  async run(tools): Promise<Outcome> {
    const measured: Measured[] = [];
    for (const plan of PLANS) {
      tools.tell(`a state of ${plan.megabytes} MB`);
      measured.push(await measure(plan));
    }
    const of = (megabytes: number) => measured.find((one) => one.megabytes === megabytes);
    const [small, large] = [of(20), of(500)];
    const share = (ms: number | undefined, everyS: number) => (ms ?? Number.NaN) / (everyS * 10);
    const turn = (one: Measured | undefined) => share(one?.turnCpuMs, TURN_EVERY_S);
    const against = (one: Measured | undefined, what: "plainMs" | "byHandMs") =>
      one === undefined ? Number.NaN : median(one.restoreMs) / median(one[what]);
    return {
      how:
        "A database of that size, half of it incompressible, encrypted; a turn adds a row of 4 KB to it and a line to a " +
        "file, a heartbeat rewrites a lease. The supervisor's side is a process of its own with its reader; the Worker's " +
        "is the product's own door out of the sandbox with the backups in a Durable Object, in workerd, over Miniflare's " +
        "R2 on the disk; a store across a network adds its latency twice to a commit. " +
        "Plain is `zstd -d | tar -x` of the same state; by hand is `age -d | zstd -d | tar -x` and SQLite's integrity " +
        "check, which a restore does as well. Memory is the peak of supervisor and reader together, Node itself " +
        "included in each.",
      table: {
        head: [
          ...["state", "commit p50", "commit most", "a turn adds", "R2 writes", "R2 calls"],
          ...["CPU a turn", "CPU a heartbeat", "restore p50", "plain", "by hand"],
          "sandbox memory",
        ],
        rows: measured.map(row),
      },
      goals: [
        goal("R2 writes a turn", small?.writes, 3, ""),
        goal(`CPU with a turn each ${TURN_EVERY_S} s, 20 MB`, turn(small), 3, " %"),
        goal(
          "CPU idle, one heartbeat each 30 s, 20 MB",
          share(small?.heartbeatCpuMs, HEARTBEAT_S),
          0.3,
          " %",
        ),
        goal("restore of 20 MB against plain", against(small, "plainMs"), 1.3, "×"),
        goal("restore of 20 MB against by hand", against(small, "byHandMs"), 1.3, "×"),
        goal("restore of 500 MB against plain", against(large, "plainMs"), 1.3, "×"),
        goal("restore of 500 MB against by hand", against(large, "byHandMs"), 1.3, "×"),
      ],
    };
  },
};

function row(one: Measured): string[] {
  return [
    `${one.megabytes} MB`,
    milliseconds(median(one.commitMs)),
    milliseconds(Math.max(...one.commitMs)),
    `${(one.bytes / 1024).toFixed(0)} KB`,
    one.writes.toFixed(1),
    one.operations.toFixed(1),
    milliseconds(one.turnCpuMs),
    milliseconds(one.heartbeatCpuMs),
    seconds(median(one.restoreMs)),
    seconds(median(one.plainMs)),
    seconds(median(one.byHandMs)),
    `${mb(one.sandboxPeak).toFixed(0)} MB`,
  ];
}

function mb(bytes: number): number {
  return bytes / 1024 ** 2;
}

function goal(what: string, measured: number | undefined, most: number, unit: string): Goal {
  const found = measured ?? Number.NaN;
  const text = `${found.toFixed(found < 10 ? 2 : 0)}${unit}`;
  return { what, measured: text, goal: `≤ ${most}${unit}`, met: found <= most };
}
