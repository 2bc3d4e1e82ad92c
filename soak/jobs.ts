/** Scheduled jobs that come due while the real agent sleeps. */
import { setTimeout as sleep } from "node:timers/promises";
import { percentile, seconds } from "../bench/statistics.ts";
import { startTelegramSystem, type TelegramSystem } from "../test/support/telegram-system.ts";
import type { Soak } from "./soak.ts";

const OWNER = { id: 55, first_name: "Olga" };
/** Side by side: most of a job is waiting. */
const AGENTS = 2;
/** From making the job until it is due; the agent is asleep before. */
const AHEAD_MS = 100_000;
const GOAL_MS = 60_000;
/** Long enough that a second run of the same job would have shown. */
const AFTER_MS = 10_000;

interface Run {
  /** Milliseconds between its time and its answer in the chat. */
  late: number;
  /** Its phase when the time came was reached by an alarm alone. */
  slept: boolean;
  answers: number;
}

export const jobs: Soak = {
  name: "jobs",
  about: "scheduled jobs that come due while the agent sleeps",
  times: 20,
  async run({ tell, times }) {
    const runs: Run[] = [];
    let next = 1;
    const work = async (): Promise<void> => {
      const running = await startTelegramSystem({
        CHANNEL_OWNERS: `telegram:${OWNER.id}`,
        SANDBOX_SLEEP_AFTER: "1h",
      });
      try {
        await running.system.reach("ready", 300_000);
        while (next <= times) {
          const n = next;
          next += 1;
          const run = await oneJob(running, `job number ${n} of ${times}`);
          runs.push(run);
          tell(`${n}/${times}: ${run.late} ms late, ${run.answers} answers`);
        }
      } finally {
        await running.close();
      }
    };
    await Promise.all(Array.from({ length: Math.min(AGENTS, times) }, work));
    const late = runs.map((run) => run.late);
    const good = runs.filter((run) => run.slept && run.answers === 1 && run.late <= GOAL_MS);
    return {
      how:
        `${times} one-time jobs, of ${AGENTS} agents one after the other, each made in a chat, the agent stopped before its time. ` +
        "Late is from the job's time until its answer is in the chat, the model's turn included.",
      table: {
        head: ["", "p50", "p90", "most"],
        rows: [["late", ...[0.5, 0.9, 1].map((share) => seconds(percentile(late, share)))]],
      },
      goals: [
        {
          what: "asleep until then, run once, within 60 s",
          measured: `${good.length} of ${times}`,
          goal: "all",
          met: good.length === times,
        },
      ],
    };
  },
};

async function oneJob({ system, telegram }: TelegramSystem, text: string): Promise<Run> {
  const due = Date.now() + AHEAD_MS;
  const job = {
    name: text,
    schedule: { kind: "at", at: new Date(due).toISOString() },
    sessionTarget: "isolated",
    payload: { kind: "agentTurn", message: text },
    delivery: { mode: "announce", channel: "telegram", to: String(OWNER.id) },
  };
  const before = telegram.texts(OWNER.id).length;
  // The gateway offers this tool behind its search.
  const call = { id: "automations", args: { action: "add", job } };
  telegram.write(OWNER, `tool: tool_call ${JSON.stringify(call)}`);
  await telegram.until(
    "the job is made",
    () =>
      telegram
        .texts(OWNER.id)
        .slice(before)
        .find((said) => said.includes("The tool answered")),
    AHEAD_MS / 2,
  );
  const startGeneration = await system.stopAgent();
  const answers = () =>
    telegram.texts(OWNER.id).filter((said) => said.includes(`] ${text}`)).length;
  await telegram.until("its answer", () => (answers() > 0 ? true : undefined), 600_000);
  const late = Date.now() - due;
  const after = await system.status();
  await sleep(AFTER_MS);
  return { late, slept: after.startGeneration === startGeneration + 1, answers: answers() };
}
