// Fills the gateway's compile cache while the image is built: starts the gateway once, waits until it
// has answered a first message, which loads what only a turn needs, and stops it.
// Usage: node bake-compile-cache.mjs <openclaw folder> <cache folder>
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile, mkdir } from "node:fs/promises";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { randomBytes } from "node:crypto";
import os from "node:os";
import path from "node:path";

const DEADLINE_MS = 300_000;
const END_MS = 90_000;
const ANSWER = "baked";

const [openclaw, cache] = process.argv.slice(2).map((folder) => path.resolve(folder));
if (openclaw === undefined || cache === undefined) {
  process.stderr.write("usage: node bake-compile-cache.mjs <openclaw folder> <cache folder>\n");
  process.exit(2);
}
const port = await freePort();
const token = randomBytes(32).toString("hex");
const model = await startModel();

const home = await mkdtemp(path.join(os.tmpdir(), "moltworker-bake-"));
await mkdir(path.join(home, ".openclaw"));
const tokenFile = path.join(home, "gateway-token");
await writeFile(tokenFile, token, { mode: 0o600 });
await writeFile(path.join(home, ".openclaw", "openclaw.json"), JSON.stringify(config()));

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
const answered = ready && (await chats());
// A process writes its part of the cache when it ends, so it has to end by itself.
gateway.kill("SIGTERM");
const giveUp = setTimeout(() => gateway.kill("SIGKILL"), END_MS);
await exited;
clearTimeout(giveUp);
model.close();
model.closeAllConnections();
await rm(home, { recursive: true, force: true });
const missing = !ready ? "become ready" : !answered ? "answer" : "end by itself";
if (!answered || gateway.exitCode !== 0) {
  process.stderr.write(`the gateway did not ${missing}, so its compile cache is not filled\n`);
  process.exit(1);
}

/** After the Worker's own config; see `src/worker/agent/gateway-config.ts`. */
function config() {
  const secret = { source: "file", provider: "gatewaytoken", id: "value" };
  return {
    secrets: {
      providers: { gatewaytoken: { source: "file", path: tokenFile, mode: "singleValue" } },
    },
    gateway: {
      mode: "local",
      bind: "loopback",
      port,
      auth: { mode: "token", token: secret },
      http: { endpoints: { chatCompletions: { enabled: true } } },
    },
    update: { checkOnStart: false },
    telemetry: { enabled: false },
    models: {
      catalogRefresh: { enabled: false },
      providers: {
        compatible: {
          baseUrl: `http://127.0.0.1:${addressOf(model).port}/v1`,
          apiKey: "none",
          api: "openai-completions",
          models: [{ id: "baker", name: "baker" }],
        },
      },
    },
    memory: { search: { enabled: false } },
    agents: { defaults: { model: { primary: "compatible/baker" }, heartbeat: { every: "0m" } } },
  };
}

async function chats() {
  const reply = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "openclaw", messages: [{ role: "user", content: "hello" }] }),
    signal: AbortSignal.timeout(Math.max(deadline - Date.now(), 1)),
  }).catch(() => undefined);
  return reply?.ok === true && (await reply.text()).includes(ANSWER);
}

/** A model that knows one answer. */
async function startModel() {
  const choice = { index: 0, delta: { role: "assistant", content: ANSWER }, finish_reason: "stop" };
  const chunk = { id: "baked", object: "chat.completion.chunk", created: 1, model: "baker" };
  const server = http.createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(`data: ${JSON.stringify({ ...chunk, choices: [choice] })}\n\ndata: [DONE]\n\n`);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server;
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
      const { port: free } = addressOf(server);
      server.close(() => resolve(free));
    });
  });
}

/** @param {net.Server} server */
function addressOf(server) {
  return /** @type {net.AddressInfo} */ (server.address());
}
