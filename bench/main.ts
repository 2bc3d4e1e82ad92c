/** `npm run bench`: measures, compares with a baseline of the same run, writes the document. */
import os from "node:os";
import { parseArgs } from "node:util";
import { ai } from "./ai.ts";
import { aiStreams } from "./ai-streams.ts";
import { backups } from "./backups.ts";
import type { Bench } from "./bench.ts";
import { backupsMemory } from "./backups-memory.ts";
import { bill } from "./bill.ts";
import { cdp } from "./cdp.ts";
import { coldStart } from "./cold-start.ts";
import { devices } from "./devices.ts";
import { writeResult } from "./document.ts";
import { machineLine } from "./machine.ts";
import { startPair, type Pair } from "./pair.ts";
import { shown, teller } from "./show.ts";
import { supervisor } from "./supervisor.ts";
import { transfer } from "./transfer.ts";
import { warmRequest } from "./warm-request.ts";
import { websocket } from "./websocket.ts";

/** The pair is stopped and started by the first; the others find it warm. */
const BENCHES: readonly Bench[] = [
  coldStart,
  warmRequest,
  websocket,
  devices,
  supervisor,
  transfer,
  ai,
  aiStreams,
  cdp,
  backups,
  backupsMemory,
  bill,
];

const DOCUMENT = "docs/performance.md";
const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

const HELP = `Usage: npm run bench -- [options] [name…]

Measures against a baseline taken in the same run, prints the result and writes it into
${DOCUMENT}. Without names: everything, in this order.

${BENCHES.map(({ name, about, minutes = 1 }) => `  ${name.padEnd(15)} ${about} (${minutes} min)`).join("\n")}

The first that needs the running system waits for it to start, a minute or two.

  --no-write     only print
  --help         this text
`;

type Asked =
  | { kind: "run"; benches: readonly Bench[]; write: boolean }
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
        "no-write": { type: "boolean", default: false },
      },
    });
  } catch (error) {
    return { kind: "problem", problem: error instanceof Error ? error.message : String(error) };
  }
  const { values, positionals } = parsed;
  if (values.help) return { kind: "help" };
  const unknown = positionals.find((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown !== undefined) return { kind: "problem", problem: `no bench is called "${unknown}"` };
  const benches = BENCHES.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  );
  return { kind: "run", benches, write: !values["no-write"] };
}

async function run(benches: readonly Bench[], write: boolean): Promise<void> {
  const tell = teller();
  let starting: Promise<Pair> | undefined;
  const pair = () => (starting ??= startPair(tell));
  try {
    for (const bench of benches) {
      const load = os.loadavg()[0] ?? 0;
      tell(`${bench.name}: ${bench.about}`);
      const outcome = await bench.run({ tell: (text) => tell(`  ${text}`), pair });
      process.stdout.write(shown(bench.name, outcome));
      const machine = machineLine(load, new Date());
      if (write) await writeResult(DOCUMENT, `bench:${bench.name}`, outcome, machine);
    }
  } finally {
    await (await starting?.catch(() => undefined))?.close();
  }
}

const asked = readArguments(process.argv.slice(2));
switch (asked.kind) {
  case "help":
    process.stdout.write(HELP);
    break;
  case "problem":
    process.stderr.write(`bench: ${asked.problem}\n\n${HELP}`);
    process.exitCode = EXIT.usage;
    break;
  case "run":
    await run(asked.benches, asked.write).catch((error: unknown) => {
      process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = EXIT.failed;
    });
}
