/** Commands in a running sandbox. */
import { type ChildProcess, spawn } from "node:child_process";
import type { ExecSpec } from "../sandbox.ts";
import { type Host, TOOL_ENVIRONMENT } from "./host.ts";
import { pipe, words } from "./pipes.ts";

export type ExecOptions = {
  host: Host;
  /** The filter of whole sandboxes; undefined on a machine no filter is known for. */
  filter: Buffer | undefined;
  /** Put before the command to run it inside the sandbox's limits. */
  prefix: string[];
};

/**
 * Runs a command in all namespaces of a sandbox, with no capability and under its filter. `first` is
 * the host process id of the sandbox's first process.
 */
export function execIn(
  first: number,
  spec: ExecSpec,
  { host, filter, prefix }: ExecOptions,
): ChildProcess {
  const enter = [host.tools.nsenter, "-t", String(first), "-U", "-m", "-n", "-p", "-i", "-u"];
  const command = [
    ...host.closingDescriptors,
    ...prefix,
    ...host.asOwner,
    ...enter,
    ...["--preserve-credentials", "--", "bwrap", "--args", "3", "--"],
    ...spec.command,
  ];
  const [program = "", ...rest] = command;
  const child = spawn(program, rest, {
    stdio: ["pipe", "pipe", "pipe", "pipe", "pipe"],
    env: TOOL_ENVIRONMENT,
    cwd: "/",
  });
  pipe(child, 3).end(
    words([
      ...["--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--cap-drop", "ALL"],
      ...["--die-with-parent", "--new-session", "--chdir", spec.cwd, "--clearenv"],
      ...Object.entries(spec.env).flatMap(([name, value]) => ["--setenv", name, value]),
      ...(filter === undefined ? [] : ["--seccomp", "4"]),
    ]),
  );
  pipe(child, 4).end(filter ?? "");
  return child;
}
