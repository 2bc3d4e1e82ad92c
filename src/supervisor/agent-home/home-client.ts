import { HOME_ROLE } from "../agent-roles.ts";
import type { Isolation } from "../isolation/isolation.ts";
import { describeExit } from "../isolation/agent-process.ts";
import type { HomeReply, HomeTask } from "./task.ts";
import { homeReply } from "./task.ts";

const DEADLINE_MS = 20_000;
const MAX_REPLY_CHARS = 64_000;

/** A process of the agent's that takes one task. */
export interface HomeWorker {
  perform(task: HomeTask): Promise<HomeReply>;
  /** For one that is not needed. */
  end(): void;
}

/** Starts it, so that it is there when its task is. */
export async function openHomeWorker(
  isolation: Isolation,
  home: string,
  program: { node: string; bundle: string },
): Promise<HomeWorker> {
  const worker = await isolation.spawn({
    argv: [program.node, program.bundle, HOME_ROLE],
    env: { HOME: home, PATH: "/usr/bin:/bin", NODE_NO_WARNINGS: "1" },
    cwd: "/",
    keepInput: true,
  });
  let out = "";
  let err = "";
  worker.stdin.on("error", () => undefined);
  worker.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    if (out.length < MAX_REPLY_CHARS) out += chunk;
  });
  worker.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    if (err.length < MAX_REPLY_CHARS) err += chunk;
  });
  const closed = new Promise((resolve) => worker.stdout.once("close", resolve));
  return {
    async perform(task) {
      worker.stdin.end(JSON.stringify(task));
      const timer = setTimeout(() => worker.signal("SIGKILL"), DEADLINE_MS);
      const exit = await worker.exited;
      clearTimeout(timer);
      if (exit.code === 0) {
        await closed;
        const reply = parseReply(out);
        if (reply !== undefined) return reply;
      }
      const said = err.trim().slice(-1_000);
      return {
        ok: false,
        message: `the agent's home could not be prepared: ${describeExit(exit)}${said && `: ${said}`}`,
      };
    },
    end: () => void worker.signal("SIGKILL"),
  };
}

function parseReply(text: string): HomeReply | undefined {
  try {
    return homeReply.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
