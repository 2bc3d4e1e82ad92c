import "./engine-flags.ts";
import { dirname, join } from "node:path";
import { parseSettings } from "./settings.ts";
import { startSupervisor } from "./supervisor.ts";

/** sysexits.h. */
const EX_CONFIG = 78;
const STOP_MS = 20_000;

await supervise();

async function supervise(): Promise<void> {
  const parsed = parseSettings(process.env);
  if (!parsed.ok) {
    for (const problem of parsed.problems) print(`[supervisor] error ${problem}`);
    process.exit(EX_CONFIG);
  }
  // What went wrong here is a bug; the sandbox is started anew.
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (error: unknown) => {
      print(
        `[supervisor] error ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      process.exit(1);
    });
  }
  const supervisor = await startSupervisor({
    settings: parsed.settings,
    env: process.env,
    program: { node: process.execPath, bundle: agentProgram() },
    print,
  });
  let ending = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.on(signal, () => {
      if (ending) return;
      ending = true;
      void supervisor.close(STOP_MS).then(() => process.exit(0));
    });
  }
}

/** Beside this one. */
function agentProgram(): string {
  return join(dirname(process.argv[1] ?? ""), "agent-program.mjs");
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
