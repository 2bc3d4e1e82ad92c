import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";

import os from "node:os";
import path from "node:path";
import { freePort } from "../../src/local/free-port.ts";

export interface PlainGateway {
  url: string;
  token: string;
  close(): Promise<void>;
}

/** Starts the pinned gateway by hand, as its own documentation does: no sandbox, no supervisor. */
export async function startPlainGateway(openclaw: string): Promise<PlainGateway> {
  const home = await mkdtemp(path.join(os.tmpdir(), "plain-gateway-"));
  const port = await freePort();
  const token = "plain-gateway-token-of-32-characters";
  await mkdir(path.join(home, ".openclaw"));
  await writeFile(
    path.join(home, ".openclaw", "openclaw.json"),
    JSON.stringify({
      gateway: { mode: "local", bind: "loopback", port, auth: { mode: "token", token } },
      update: { checkOnStart: false },
      models: { catalogRefresh: { enabled: false } },
    }),
  );
  const child = spawn(process.execPath, [path.join(openclaw, "openclaw.mjs"), "gateway", "run"], {
    cwd: home,
    stdio: "ignore",
    env: {
      PATH: process.env["PATH"],
      HOME: home,
      OPENCLAW_NO_RESPAWN: "1",
      OPENCLAW_DISABLE_BONJOUR: "1",
      OPENCLAW_SUPERVISOR_MODE: "external",
    },
  });
  const exited = once(child, "exit");
  const url = `http://127.0.0.1:${port}`;
  const gateway: PlainGateway = {
    url,
    token,
    async close() {
      child.kill("SIGTERM");
      const giveUp = setTimeout(() => child.kill("SIGKILL"), 20_000);
      await exited;
      clearTimeout(giveUp);
      await rm(home, { recursive: true, force: true });
    },
  };
  while (child.exitCode === null && child.signalCode === null) {
    if (await isReady(url)) return gateway;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  await gateway.close();
  throw new Error(`the gateway ended with ${child.exitCode ?? child.signalCode}`);
}

async function isReady(url: string): Promise<boolean> {
  try {
    const reply = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5000) });
    return JSON.stringify(await reply.json()).includes('"ready":true');
  } catch {
    return false;
  }
}
