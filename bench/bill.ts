import { dayOf, type Costs, type Day } from "./day/day.ts";
import { JOBS, MESSAGES } from "./day/light-user.ts";
import type { Bench } from "./bench.ts";

/** `standard-1`, as wrangler.jsonc has it: https://developers.cloudflare.com/containers/pricing/ */
const INSTANCE = { vcpu: 0.5, memoryGib: 4, diskGb: 8 };
/** Dollars for a second: memory and disk as provided, processor time as used. */
const PRICE = { memoryGib: 0.000_002_5, diskGb: 0.000_000_07, vcpu: 0.000_02 };
/** In a month of the paid plan: seconds of a GiB, of a GB, of a vCPU. */
const INCLUDED = { memoryGib: 25 * 3_600, diskGb: 200 * 3_600, vcpu: 375 * 60 };
const DAYS = 30;

/** Seconds of a processor: a start and an idle hour as measured above, a turn with a short answer. */
const CPU = { start: 17.4, turn: 2, idleHour: 0.007 * 3_600 };
const COSTS: Costs = { startS: CPU.start / INSTANCE.vcpu, endS: 10, turnS: 10 };

const WAYS = [
  ["never (awake all day)", "never"],
  ["1h", 3_600_000],
  ["10m", 600_000],
] as const;

export const bill: Bench = {
  name: "bill",
  about: "what a light user's day costs at Cloudflare, awake all day against sleeping",
  async run() {
    const rows = WAYS.map(([name, sleepAfter]) => row(name, dayOf(sleepAfter, COSTS)));
    return {
      how:
        `A made-up day of ${MESSAGES.length} messages and ${JOBS.length} scheduled jobs, decided second by second ` +
        "by the code that runs in the Durable Object; nothing was deployed. Priced as standard-1 " +
        `(${INSTANCE.vcpu} vCPU, ${INSTANCE.memoryGib} GiB, ${INSTANCE.diskGb} GB), with ${CPU.start} s of processor a start, ` +
        `${CPU.turn} s a turn and 0.7 % of a core at rest; a start takes ${COSTS.startS.toFixed(0)} s on half a vCPU. ` +
        "Containers alone: the Worker, the Durable Object, storage and above all the model come on top. " +
        "The month is thirty such days, less what the paid plan includes.",
      table: {
        head: ["SANDBOX_SLEEP_AFTER", "hours up", "starts", "vCPU s", "a day", "a month", "to pay"],
        rows,
      },
      goals: [],
    };
  },
};

function row(name: string, day: Day): string[] {
  const vcpu =
    day.starts * CPU.start + day.turns * CPU.turn + (day.runningS / 3_600) * CPU.idleHour;
  const used = {
    memoryGib: day.runningS * INSTANCE.memoryGib,
    diskGb: day.runningS * INSTANCE.diskGb,
    vcpu,
  };
  const kinds = ["memoryGib", "diskGb", "vcpu"] as const;
  const cost = (amount: (kind: (typeof kinds)[number]) => number) =>
    kinds.reduce((sum, kind) => sum + amount(kind) * PRICE[kind], 0);
  return [
    name,
    (day.runningS / 3_600).toFixed(1),
    String(day.starts),
    vcpu.toFixed(0),
    dollars(
      cost((kind) => used[kind]),
      3,
    ),
    dollars(
      cost((kind) => DAYS * used[kind]),
      2,
    ),
    dollars(
      cost((kind) => Math.max(0, DAYS * used[kind] - INCLUDED[kind])),
      2,
    ),
  ];
}

function dollars(amount: number, digits: number): string {
  return `$${amount.toFixed(digits)}`;
}
