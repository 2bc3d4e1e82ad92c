/** `npm run soak`: one soak by its name; its outcome goes into the document. */
import os from "node:os";
import { parseArgs } from "node:util";
import { writeResult } from "../bench/document.ts";
import { machineLine } from "../bench/machine.ts";
import { shown, teller } from "../bench/show.ts";
import { jobs } from "./jobs.ts";
import { kills } from "./kills.ts";
import { messages } from "./messages.ts";
import { seeded } from "./random.ts";
import type { Soak } from "./soak.ts";

const SOAKS: readonly Soak[] = [kills, messages, jobs];

const DOCUMENT = "docs/reliability.md";
const EXIT = { ok: 0, failed: 1, usage: 2, missed: 3 } as const;

const HELP = `Usage: npm run soak -- [options] name [times]

Runs one soak, prints what it found and writes it into ${DOCUMENT}. Ends with ${EXIT.missed} when a
goal is missed.

${SOAKS.map(({ name, about, times }) => `  ${name.padEnd(10)} ${about}; ${times} times unless asked otherwise`).join("\n")}

  --seed <n>     repeats the moments of another run (default: the time)
  --no-write     only print
  --help         this text
`;

type Asked =
  | { kind: "run"; soak: Soak; times: number; seed: number; write: boolean }
  | { kind: "help" }
  | { kind: "problem"; problem: string };

function readArguments(args: readonly string[]): Asked {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h", default: false },
        seed: { type: "string" },
        "no-write": { type: "boolean", default: false },
      },
    });
  } catch (error) {
    return { kind: "problem", problem: error instanceof Error ? error.message : String(error) };
  }
  const { values, positionals } = parsed;
  if (values.help) return { kind: "help" };
  const [name = "", often, ...more] = positionals;
  const soak = SOAKS.find((one) => one.name === name);
  if (soak === undefined) return { kind: "problem", problem: `no soak is called "${name}"` };
  const times = Number(often ?? soak.times);
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  if (!Number.isInteger(times) || times < 1 || more.length > 0) {
    return {
      kind: "problem",
      problem: `"${positionals.slice(1).join(" ")}" is no number of times`,
    };
  }
  if (!Number.isInteger(seed)) return { kind: "problem", problem: "a seed is a whole number" };
  return { kind: "run", soak, times, seed, write: !values["no-write"] };
}

async function run({ soak, times, seed, write }: Extract<Asked, { kind: "run" }>): Promise<number> {
  const tell = teller();
  const load = os.loadavg()[0] ?? 0;
  tell(`${soak.name}: ${soak.about}, ${times} times, seed ${seed}`);
  const outcome = await soak.run({ tell, times, random: seeded(seed) });
  process.stdout.write(shown(soak.name, outcome));
  const machine = `${machineLine(load, new Date())}; seed ${seed}`;
  if (write) await writeResult(DOCUMENT, `soak:${soak.name}`, outcome, machine);
  return outcome.goals.every(({ met }) => met) ? EXIT.ok : EXIT.missed;
}

const asked = readArguments(process.argv.slice(2));
switch (asked.kind) {
  case "help":
    process.stdout.write(HELP);
    break;
  case "problem":
    process.stderr.write(`soak: ${asked.problem}\n\n${HELP}`);
    process.exitCode = EXIT.usage;
    break;
  case "run":
    process.exitCode = await run(asked).catch((error: unknown) => {
      process.stderr.write(`soak: ${error instanceof Error ? error.message : String(error)}\n`);
      return EXIT.failed;
    });
}
