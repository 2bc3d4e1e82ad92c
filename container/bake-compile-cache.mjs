// Fills the gateway's compile cache: starts the gateway once, waits until it says it is ready, stops
// it. Runs while the image is built. Usage: node bake-compile-cache.mjs <openclaw folder> <cache>
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile, mkdir } from "node:fs/promises";
import { once } from "node:events";
import net from "node:net";
import { randomBytes } from "node:crypto";
import os from "node:os";
import path from "node:path";

const DEADLINE_MS = 180_000;
const END_MS = 90_000;

const [openclaw, cache] = process.argv.slice(2).map((folder) => path.resolve(folder));
if (openclaw === undefined || cache === undefined) {
  process.stderr.write("usage: node bake-compile-cache.mjs <openclaw folder> <cache folder>\n");
  process.exit(2);
}
const port = await freePort();

const home = await mkdtemp(path.join(os.tmpdir(), "moltworker-bake-"));
await mkdir(path.join(home, ".openclaw"));
await writeFile(
  path.join(home, ".openclaw", "openclaw.json"),
  JSON.stringify({
    gateway: {
      mode: "local",
      bind: "loopback",
      port,
      auth: { mode: "token", token: randomBytes(32).toString("hex") },
    },
    update: { checkOnStart: false },
    models: { catalogRefresh: { enabled: false } },
  }),
);

const gateway = spawn(process.execPath, [path.join(openclaw, "openclaw.mjs"), "gateway", "run"], {
  cwd: home,
  stdio: ["ignore", "inherit", "inherit"],
  env: {
    PATH: process.env.PATH ?? "",
    HOME: home,
    NODE_COMPILE_CACHE: cache,
    OPENCLAW_NO_RESPAWN: "1",
    OPENCLAW_DISABLE_BONJOUR: "1",
    OPENCLAW_SUPERVISOR_MODE: "external",
  },
});
const exited = once(gateway, "exit");

const deadline = Date.now() + DEADLINE_MS;
let ready = false;
while (!ready && gateway.exitCode === null && gateway.signalCode === null) {
  if (Date.now() > deadline) break;
  ready = await saysReady();
  if (!ready) await new Promise((resolve) => setTimeout(resolve, 500));
}
// A process writes its part of the cache when it ends, so it has to end by itself.
gateway.kill("SIGTERM");
const giveUp = setTimeout(() => gateway.kill("SIGKILL"), END_MS);
await exited;
clearTimeout(giveUp);
await rm(home, { recursive: true, force: true });
if (!ready || gateway.exitCode !== 0) {
  const missing = ready ? "end by itself" : "become ready";
  process.stderr.write(`the gateway did not ${missing}, so its compile cache is not filled\n`);
  process.exit(1);
}

async function saysReady() {
  try {
    const reply = await fetch(`http://127.0.0.1:${port}/readyz`, {
      signal: AbortSignal.timeout(5000),
    });
    return (await reply.json()).ready === true;
  } catch {
    return false;
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port: free } = /** @type {net.AddressInfo} */ (server.address());
      server.close(() => resolve(free));
    });
  });
}
