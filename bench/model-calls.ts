/** The model call that is measured, and the processes that answer and make it. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";

export const CALL = {
  method: "POST",
  headers: {
    "content-type": "application/json",
    "anthropic-version": "2023-06-01",
    "x-api-key": "bench",
  },
  // The size of the agent's first turn.
  body: JSON.stringify({
    model: "claude-opus-5",
    max_tokens: 100,
    stream: true,
    messages: [{ role: "user", content: "x".repeat(60_000) }],
  }),
};

/** Milliseconds. */
const callSample = z.object({ first: z.number(), whole: z.number() });
export type CallSample = z.infer<typeof callSample>;

const callsMeasured = z.object({
  /** One list for each address. */
  calls: z.array(z.array(callSample)),
  disk: z.array(z.number()),
});
export type CallsMeasured = z.infer<typeof callsMeasured>;

export interface Provider {
  url: string;
  close(): Promise<void>;
}

export async function startProvider(): Promise<Provider> {
  const { child, line } = run("anthropic.ts", []);
  return {
    url: await line,
    async close() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Calls to each of the addresses in turns, and a durable write after each round. */
export async function measureCalls(
  urls: readonly string[],
  rounds: { warmUp: number; rounds: number },
): Promise<CallsMeasured> {
  const { line } = run("caller.ts", [`${rounds.warmUp}`, `${rounds.rounds}`, ...urls]);
  return callsMeasured.parse(JSON.parse(await line));
}

interface Running {
  child: ChildProcess;
  /** The first that it prints; rejects when it ends before. */
  line: Promise<string>;
}

function run(program: string, args: readonly string[]): Running {
  const child = spawn(
    process.execPath,
    [path.join(import.meta.dirname, "stand-in", program), ...args],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const lines = createInterface({ input: child.stdout });
  const line = new Promise<string>((resolve, reject) => {
    lines.once("line", resolve);
    lines.once("close", () => reject(new Error(`${program} of the bench ended`)));
  });
  return { child, line };
}
