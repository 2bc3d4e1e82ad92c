import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";

/** How a program ended. Exactly one of the two is set, unless it could not be started at all. */
export interface Exit {
  code: number | undefined;
  signal: NodeJS.Signals | undefined;
  /** Why it never ran. */
  failure?: string;
}

/** A program that runs as the agent. */
export interface AgentProcess {
  /** Closed already unless the program was started with `keepInput`. */
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  exited: Promise<Exit>;
  /** The program's own process id as the supervisor sees it; undefined when it is gone. */
  pid(): number | undefined;
  /** Sends to the program itself. False when it could not be reached. */
  signal(signal: NodeJS.Signals): boolean;
}

export interface AgentProgram {
  argv: readonly [string, ...string[]];
  env: Record<string, string>;
  cwd: string;
  /** Leaves standard input open for whoever started the program. */
  keepInput?: true;
}

/** Strings that say how a program ended, for people. */
export function describeExit(exit: Exit): string {
  if (exit.failure !== undefined) return `could not be started: ${exit.failure}`;
  if (exit.signal !== undefined) return `killed by ${exit.signal}`;
  return `exit code ${exit.code ?? "unknown"}`;
}

/** A shell's and a monitor's convention: 128 + n says that signal n ended the program. */
export function exitOfStatus(status: number): Exit {
  if (status > 128) {
    const name = signalName(status - 128);
    if (name !== undefined) return { code: undefined, signal: name };
  }
  return { code: status, signal: undefined };
}

export function watchExit(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once("error", (error) =>
      resolve({ code: undefined, signal: undefined, failure: error.message }),
    );
    child.once("exit", (code, signal) =>
      resolve({ code: code ?? undefined, signal: signal ?? undefined }),
    );
  });
}

export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

function signalName(number: number): NodeJS.Signals | undefined {
  return signalNames.find((name) => constants.signals[name] === number);
}

const signalNames = (Object.keys(constants.signals) as NodeJS.Signals[]).filter((name) =>
  name.startsWith("SIG"),
);
