/** The whole system as `npm start` runs it, and beside it the same gateway started by hand. */
import path from "node:path";
import { z } from "zod";
import { DEFAULT_AGENT_ID } from "../src/protocol/names.ts";
import {
  makeStateDir,
  removeStateDir,
  startSystem,
  type RunningSystem,
} from "../test/support/running-system.ts";
import { copyGateway, type BareGateway } from "./bare-gateway.ts";

const DEADLINE_MS = 240_000;

const readyStatus = z.object({
  timings: z.array(z.object({ phase: z.string(), ms: z.number() })),
  supervisor: z.object({
    isolation: z.string(),
    memory: z.object({ supervisor: z.number(), gateway: z.number().optional() }),
  }),
});
export type ReadyStatus = z.infer<typeof readyStatus>;

export interface Pair {
  system: RunningSystem;
  bare: BareGateway;
  /** `name=value` of a session. */
  cookie: string;
  /** Waits until the agent is ready. */
  ready(): Promise<ReadyStatus>;
  /** Both run afterwards. */
  bothUp(): Promise<void>;
  /** Neither runs afterwards. */
  bothDown(): Promise<void>;
  stopAgent(): Promise<void>;
  startAgent(): Promise<ReadyStatus>;
  close(): Promise<void>;
}

export async function startPair(tell: (text: string) => void): Promise<Pair> {
  tell("starting the system");
  const stateDir = await makeStateDir();
  const system = await startSystem({ stateDir });
  let bare: BareGateway | undefined;
  let bareIsUp = false;

  const ready = async () => readyStatus.parse(await system.reach("ready", DEADLINE_MS));
  const stopAgent = async () => {
    await system.admin("/api/agent/stop", { body: {} });
    await system.reach("stopped", DEADLINE_MS);
  };
  const startAgent = async () => {
    await system.admin("/api/agent/start", { body: {} });
    return ready();
  };
  const close = async () => {
    await system.stop();
    await bare?.stop();
    await bare?.remove();
    await removeStateDir(stateDir);
  };

  try {
    await ready();
    tell("copying its state for the gateway that is started by hand");
    await stopAgent();
    const copy = await copyGateway(path.join(stateDir, "sandbox", DEFAULT_AGENT_ID, "home"));
    bare = {
      ...copy,
      async start() {
        const cost = await copy.start();
        bareIsUp = true;
        return cost;
      },
      async stop() {
        bareIsUp = false;
        await copy.stop();
      },
    };
    return {
      system,
      bare,
      cookie: await sessionCookie(system),
      ready,
      stopAgent,
      startAgent,
      async bothUp() {
        if ((await system.status()).phase !== "ready") await startAgent();
        if (!bareIsUp) await bare?.start();
      },
      async bothDown() {
        if ((await system.status()).phase !== "stopped") await stopAgent();
        await bare?.stop();
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

export async function sessionCookie(system: RunningSystem): Promise<string> {
  const headers = { Accept: "text/html" };
  const reply = await fetch(system.controlUi, { redirect: "manual", headers });
  const [cookie] = (reply.headers.get("set-cookie") ?? "").split(";");
  if (cookie === undefined || cookie === "") throw new Error(`no session: ${reply.status}`);
  return cookie;
}
