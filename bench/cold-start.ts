import type { Bench } from "./bench.ts";
import type { StartCost } from "./bare-gateway.ts";
import { treeCpuSeconds } from "./processes.ts";
import { median, percentile, seconds } from "./statistics.ts";

const PAIRS = 6;
const GOAL = 1.1;

interface AgentStart extends StartCost {
  phases: Map<string, number>;
}

const PHASES = {
  starting: "starting: sandbox and supervisor",
  restoring: "restoring: the newest backup",
  booting: "booting: until the gateway is ready and connected",
};

/** From the Durable Object's decision to start until it counts the agent as ready. */
export const coldStart: Bench = {
  name: "cold-start",
  about: "the agent's start, phase by phase, against the gateway started by hand",
  minutes: 4,
  async run({ tell, pair }) {
    const { system, bare, startAgent, stopAgent, bothDown } = await pair();
    await bothDown();

    const startBoth = async (): Promise<{ agent: AgentStart; alone: StartCost }> => {
      const alone = await bare.start();
      await bare.stop();
      const before = treeCpuSeconds(system.process.pid ?? 0);
      const { timings } = await startAgent();
      const cpuSeconds = treeCpuSeconds(system.process.pid ?? 0) - before;
      await stopAgent();
      const phases = new Map(timings.map(({ phase, ms }) => [phase, ms]));
      const ms = timings.reduce((sum, one) => sum + one.ms, 0);
      return { alone, agent: { ms, cpuSeconds, phases } };
    };

    tell("warming both up");
    await startBoth();
    const agents: AgentStart[] = [];
    const alones: StartCost[] = [];
    for (let number = 1; number <= PAIRS; number += 1) {
      const { agent, alone } = await startBoth();
      agents.push(agent);
      alones.push(alone);
      tell(
        `pair ${number} of ${PAIRS}: agent ${seconds(agent.ms)}, by hand ${seconds(alone.ms)}, ` +
          `ratio ${(agent.ms / alone.ms).toFixed(3)}`,
      );
    }

    const row = (name: string, values: readonly number[]) => [
      name,
      ...[median(values), Math.min(...values), Math.max(...values)].map(seconds),
    ];
    const cpu = (name: string, costs: readonly StartCost[]) =>
      row(
        name,
        costs.map((one) => one.cpuSeconds * 1000),
      );
    const ratios = agents.map((agent, index) => agent.ms / (alones[index]?.ms ?? Number.NaN));
    const ratio = median(agents.map(({ ms }) => ms)) / median(alones.map(({ ms }) => ms));
    return {
      how:
        `${PAIRS} pairs in turns, each side stopped while the other starts, both warmed up once. ` +
        "The gateway by hand runs a copy of the same state and config with its own warm compile cache; " +
        "it counts as ready when `/readyz` says so, the agent when the Durable Object says so.",
      table: {
        head: ["", "p50", "least", "most"],
        rows: [
          ...Object.entries(PHASES).map(([phase, name]) =>
            row(
              name,
              agents.map(({ phases }) => phases.get(phase) ?? 0),
            ),
          ),
          row(
            "agent, whole start",
            agents.map(({ ms }) => ms),
          ),
          row(
            "gateway by hand",
            alones.map(({ ms }) => ms),
          ),
          cpu("agent, processor time of everything", agents),
          cpu("gateway by hand, processor time", alones),
        ],
      },
      goals: [
        {
          what: `agent ÷ gateway by hand at p50 (pairs: ${Math.min(...ratios).toFixed(2)} to ${percentile(ratios, 1).toFixed(2)})`,
          measured: ratio.toFixed(3),
          goal: `≤ ${GOAL.toFixed(2)}`,
          met: ratio <= GOAL,
        },
      ],
    };
  },
};
