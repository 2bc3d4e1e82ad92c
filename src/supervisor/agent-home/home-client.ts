import type { Isolation } from "../isolation/isolation.ts";
import { describeExit } from "../isolation/agent-process.ts";
import type { HomeReply, HomeTask } from "./task.ts";
import { homeReply } from "./task.ts";

const DEADLINE_MS = 20_000;
const MAX_REPLY_CHARS = 64_000;

/** The argument that gives this program its second role. */
export const HOME_ROLE = "agent-home";

/** Has a task done in the agent's home, by a process of the agent's. */
export async function doHomeTask(
  isolation: Isolation,
  task: HomeTask,
  program: { node: string; bundle: string },
): Promise<HomeReply> {
  const worker = await isolation.spawn({
    argv: [program.node, program.bundle, HOME_ROLE],
    env: { HOME: task.home, PATH: "/usr/bin:/bin", NODE_NO_WARNINGS: "1" },
    cwd: "/",
    input: JSON.stringify(task),
  });
  let out = "";
  let err = "";
  worker.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    if (out.length < MAX_REPLY_CHARS) out += chunk;
  });
  worker.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    if (err.length < MAX_REPLY_CHARS) err += chunk;
  });
  const closed = new Promise((resolve) => worker.stdout.once("close", resolve));
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
}

function parseReply(text: string): HomeReply | undefined {
  try {
    return homeReply.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
