import { parseArgs } from "node:util";
import { buildAll } from "../build/build.ts";
import { PROJECT_ROOT, buildPaths } from "../build/paths.ts";
import { EXIT } from "./exit.ts";

const HELP = `Usage: npm run build

Writes the generated files (container/Dockerfile, container/packages.json, .dev.vars.example), the
supervisor and the local Worker as bundles, and the Control UI's files, into dist/.
`;

export async function runBuild(args: readonly string[]): Promise<number> {
  try {
    const options = { help: { type: "boolean", short: "h", default: false } } as const;
    if (parseArgs({ args: [...args], options }).values.help) {
      process.stdout.write(HELP);
      return EXIT.ok;
    }
  } catch (error) {
    process.stderr.write(`moltworker build: ${error instanceof Error ? error.message : error}\n`);
    return EXIT.usage;
  }
  const built = await buildAll(buildPaths(PROJECT_ROOT));
  if (!built.ok) {
    process.stderr.write(`moltworker build: ${built.reason}\n`);
    return EXIT.failed;
  }
  for (const line of built.lines) process.stdout.write(`${line}\n`);
  return EXIT.ok;
}
