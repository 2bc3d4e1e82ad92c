/**
 * What the supervisor runs as the agent. A program of its own: a process that holds all of the supervisor's code
 * comes up a third slower, and stays 10 MB larger.
 */
import "./engine-flags.ts";
import { runHomeTask } from "./agent-home/agent-home.ts";
import { runStateReader } from "./backups/reader.ts";
import { HOME_ROLE, READER_ROLE } from "./agent-roles.ts";

/** sysexits.h. */
const EX_USAGE = 64;

const role = process.argv[2];
if (role === HOME_ROLE) await runHomeTask();
else if (role === READER_ROLE) await runStateReader(process.stdin, process.stdout);
else {
  process.stderr.write(
    `the role is ${HOME_ROLE} or ${READER_ROLE}, and not ${role ?? "nothing"}\n`,
  );
  process.exitCode = EX_USAGE;
}
