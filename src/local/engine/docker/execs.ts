/** Commands run inside a running container, and Docker's stream format for their output. */
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { constants } from "node:os";
import type { Socket } from "node:net";
import type { SandboxContainer } from "./containers.ts";
import { Refusal } from "./refusal.ts";
import type { ExecRequest } from "./requests.ts";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const STDOUT = 1;
const STDERR = 2;
const NOT_EXECUTABLE = 126;
/** Finished commands whose exit code can still be asked for. */
const MOST_FINISHED = 1_000;

export type Exec = {
  id: string;
  container: SandboxContainer;
  request: ExecRequest;
  state: "created" | "running" | "exited";
  pid: number;
  exitCode: number;
};

/** One frame of Docker's multiplexed stream: stream number, three zeros, length, payload. */
export function frame(stream: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(stream, 0);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

function codeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

export class Execs {
  readonly #byId = new Map<string, Exec>();

  create(container: SandboxContainer, request: ExecRequest): Exec {
    if (container.state !== "running") throw new Refusal(409, `${container.name} is not running`);
    if (request.Tty === true) throw new Refusal(501, "This engine gives commands no terminal");
    if (!["", "0", "root"].includes(request.User ?? "")) {
      throw new Refusal(501, "A sandbox of this engine has one user");
    }
    const [oldest] = this.#byId.values();
    if (this.#byId.size >= MOST_FINISHED && oldest?.state === "exited")
      this.#byId.delete(oldest.id);
    const id = randomBytes(32).toString("hex");
    const exec: Exec = { id, container, request, state: "created", pid: 0, exitCode: 0 };
    this.#byId.set(id, exec);
    return exec;
  }

  get(id: string): Exec {
    const found = this.#byId.get(id);
    if (found === undefined) throw new Refusal(404, `No such exec instance: ${id}`);
    return found;
  }

  /** Runs it with nothing attached. */
  startDetached(exec: Exec): void {
    const child = this.#run(exec);
    child.stdin?.end();
    child.stdout?.resume();
    child.stderr?.resume();
  }

  /** Runs it with the client's connection as its input and output. */
  startAttached(exec: Exec, client: Socket): void {
    const child = this.#run(exec);
    const { stdin, stdout, stderr } = child;
    if (stdin === null || stdout === null || stderr === null) return void client.destroy();
    for (const [stream, number] of [
      [stdout, STDOUT],
      [stderr, STDERR],
    ] as const) {
      stream.on("data", (chunk: Buffer) => {
        if (client.write(frame(number, chunk))) return;
        stream.pause();
        client.once("drain", () => stream.resume());
      });
    }
    client.on("error", () => client.destroy());
    client.pipe(stdin);
    child.once("close", () => client.end());
    client.once("close", () => {
      stdout.resume();
      stderr.resume();
    });
  }

  #run(exec: Exec): ChildProcess {
    const { sandbox } = exec.container;
    if (exec.state !== "created" || sandbox === undefined) {
      throw new Refusal(409, "The command has been started already");
    }
    const child = sandbox.exec({
      command: exec.request.Cmd,
      env: { PATH, ...exec.request.Env },
      cwd: exec.request.WorkingDir ?? exec.container.description.cwd,
    });
    exec.state = "running";
    exec.pid = child.pid ?? 0;
    child.stdin?.on("error", () => {});
    child.once("error", () => {
      exec.exitCode = NOT_EXECUTABLE;
      exec.state = "exited";
    });
    child.once("exit", (code, signal) => {
      exec.exitCode = codeOf(code, signal);
      exec.state = "exited";
    });
    return child;
  }
}
