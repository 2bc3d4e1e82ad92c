/** The moltworker command: picks the subcommand, turns its outcome into an exit code. */
import { runBuild } from "./build.ts";
import { runDeploy } from "./deploy.ts";
import { runStart } from "../local/start/launcher.ts";
import { EXIT } from "./exit.ts";

const HELP = `Usage: moltworker <command> [options]

  start    run the agent on this machine
  build    make everything that a start or a deploy needs
  deploy   put the agent on Cloudflare

moltworker <command> --help says more.
`;

const COMMANDS = new Map<string, (args: readonly string[]) => Promise<number>>([
  ["start", runStart],
  ["build", runBuild],
  ["deploy", runDeploy],
]);

const NODE_MAJOR = 24;

async function main([name, ...args]: readonly string[]): Promise<number> {
  const major = Number(process.versions.node.split(".")[0]);
  if (major < NODE_MAJOR) {
    process.stderr.write(
      `moltworker: Node ${process.versions.node} is too old, this needs ${NODE_MAJOR}: npm start brings it\n`,
    );
    return EXIT.failed;
  }
  if (name === undefined || name === "--help" || name === "-h") {
    process.stdout.write(HELP);
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  const command = COMMANDS.get(name);
  if (command === undefined) {
    process.stderr.write(`moltworker: unknown command "${name}"\n\n${HELP}`);
    return EXIT.usage;
  }
  return await command(args);
}

process.exitCode = await main(process.argv.slice(2));
