/** Sandboxes killed at random moments, and what the next one has. */
import { milliseconds, percentile } from "../bench/statistics.ts";
import { killSandboxes, type Kill } from "../test/support/backup-kills.ts";
import type { Soak } from "./soak.ts";

const MEGABYTES = 20;
const GOAL_MS = 2_000;

export const kills: Soak = {
  name: "kills",
  about: `SIGKILL of a sandbox with ${MEGABYTES} MB of state while it writes`,
  times: 200,
  async run({ tell, times, random }) {
    const done = await killSandboxes({
      kills: times,
      megabytes: MEGABYTES,
      random,
      onKill: ({ after, lost, integrity, pairings }, n) =>
        tell(
          `${n}/${times}: after ${after.toFixed(0)} ms, lost ${lost.total} ms, ` +
            `${pairings} pairings, ${integrity}`,
        ),
    });
    const totals = done.map(({ lost }) => lost.total);
    const row = (name: string, lost: readonly number[]) => [
      name,
      ...[0.5, 0.9, 0.99, 1].map((share) => milliseconds(percentile(lost, share))),
    ];
    const sound = done.filter(isSound).length;
    const p99 = percentile(totals, 0.99);
    return {
      how:
        `${times} kills at random moments, ${MEGABYTES} MB of state, encrypted. Lost is the time ` +
        "between the kill and the newest of its kind that the next sandbox has.",
      table: {
        head: ["lost", "p50", "p90", "p99", "most"],
        rows: [
          row(
            "turns of a conversation",
            done.map(({ lost }) => lost.turns),
          ),
          row(
            "lines of a memory file",
            done.map(({ lost }) => lost.memory),
          ),
          row(
            "paired devices",
            done.map(({ lost }) => lost.pairings),
          ),
          row("the worst of the three", totals),
        ],
      },
      goals: [
        {
          what: "databases whole, identity the same, no pairing lost between two kept ones",
          measured: `${sound} of ${times}`,
          goal: "all",
          met: sound === times,
        },
        {
          what: "lost, p99",
          measured: milliseconds(p99),
          goal: `<= ${milliseconds(GOAL_MS)}`,
          met: p99 <= GOAL_MS,
        },
      ],
    };
  },
};

function isSound({ integrity, identity, gaps }: Kill, _n: number, all: readonly Kill[]): boolean {
  return integrity === "ok" && gaps === 0 && identity === all[0]?.identity;
}
