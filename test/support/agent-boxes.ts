/**
 * The boxes that scripted sandboxes run in: the local engine, the scenario of the next start, what the
 * sandboxes noted, and what happens to a process from outside.
 */
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import { z } from "zod";
import { probeEngines, startEngine } from "../../src/local/engine/engine.ts";
import { AUTHORITY_PATH } from "../../src/local/engine/image.ts";
import type { Scenario } from "./agent-scenario.ts";
import { killDescendants } from "./process-tree.ts";
import { withinAMinute } from "./within-a-minute.ts";

export interface AgentBoxes {
  /** Of the engine. */
  socketPath: string;
  /** What the next start of the sandbox does. */
  scenario(scenario: Scenario): Promise<void>;
  /** The control token of the sandbox that was booted last. */
  controlToken(): Promise<string>;
  /** What the sandboxes noted since the last `forget`, one line each. */
  log(): Promise<string[]>;
  forget(): Promise<void>;
  /** SIGKILL from outside, as an out-of-memory killer would. */
  kill(): Promise<void>;
  /** Stops the sandbox's processes where they are, or lets them go on. */
  freeze(frozen: boolean): void;
  close(): Promise<void>;
}

export const IMAGE = "moltworker/agent-under-test";
const PROGRAM = "/opt/program/sandbox.ts";

const containers = z.array(z.object({ Id: z.string(), Image: z.string() }));

/** @param folder for everything that is on a disk; stays when the boxes are closed */
export async function openAgentBoxes(folder: string): Promise<AgentBoxes> {
  const scenarioFolder = path.join(folder, "scenario");
  const program = path.join(folder, "program");
  await Promise.all([mkdir(scenarioFolder), mkdir(program)]);
  await chmod(scenarioFolder, 0o777);
  const source = path.join(import.meta.dirname, "agent-sandbox.ts");
  await writeFile(path.join(program, "sandbox.ts"), await readFile(source));
  const scenario = async (next: Scenario): Promise<void> => {
    await writeFile(path.join(scenarioFolder, "scenario.json"), JSON.stringify(next));
    await chmod(path.join(scenarioFolder, "scenario.json"), 0o644);
  };
  const logFile = path.join(scenarioFolder, "log");
  const forget = async (): Promise<void> => {
    await writeFile(logFile, "");
    await chmod(logFile, 0o666);
  };
  await scenario({});
  await forget();

  const engine = await startEngine({
    kind: await engineKind(),
    stateDir: path.join(folder, "state"),
    log: () => undefined,
    images: {
      [IMAGE]: {
        entrypoint: ["/opt/node/bin/node", PROGRAM],
        env: {
          HOME: "/home/agent",
          SCENARIO_FOLDER: "/opt/scenario",
          NODE_EXTRA_CA_CERTS: AUTHORITY_PATH,
        },
        cwd: "/opt/program",
        hostname: "moltworker",
        binds: [
          { source: path.dirname(process.execPath), target: "/opt/node/bin", mode: "ro" },
          { source: program, target: "/opt/program", mode: "ro" },
          { source: scenarioFolder, target: "/opt/scenario", mode: "rw" },
        ],
      },
    },
  });
  const { socketPath } = engine;
  const running = async () =>
    containers.parse(JSON.parse(await docker(socketPath, "GET", "/containers/json")));

  return {
    socketPath,
    scenario,
    controlToken: () => readFile(path.join(scenarioFolder, "control-token"), "utf8"),
    log: async () => (await readFile(logFile, "utf8")).split("\n").filter((line) => line !== ""),
    forget,
    async kill() {
      const own = (await running()).find(({ Image }) => Image === IMAGE);
      if (own === undefined) throw new Error("no sandbox runs");
      await docker(socketPath, "POST", `/containers/${own.Id}/kill?signal=SIGKILL`);
      const gone = await withinAMinute(async () =>
        (await running()).some(({ Id }) => Id === own.Id) ? undefined : true,
      );
      if (gone === undefined) throw new Error("the sandbox outlived SIGKILL");
    },
    freeze(frozen) {
      const signal = frozen ? "SIGSTOP" : "SIGCONT";
      const found = killDescendants(
        process.pid,
        ({ command }) => command.endsWith(`node ${PROGRAM}`),
        signal,
      );
      if (found === 0) throw new Error("no sandbox runs");
    },
    close: () => engine.close(),
  };
}

async function engineKind(): Promise<"bubblewrap" | "plain"> {
  const { bubblewrap } = await probeEngines();
  return bubblewrap.ok ? "bubblewrap" : "plain";
}

function docker(socketPath: string, method: string, target: string): Promise<string> {
  return new Promise((resolve, reject) => {
    http
      .request({ socketPath, method, path: target }, (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("end", () => resolve(text));
      })
      .on("error", reject)
      .end();
  });
}
