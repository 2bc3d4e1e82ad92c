/** What a gateway took in its last seconds does not count as kept until the next gateway has it. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePort } from "../../src/local/free-port.ts";
import { backupReply, deliverReply, markReply } from "../../src/protocol/control.ts";
import { BEHIND_MS } from "../../src/supervisor/marks.ts";
import { memoryBucket } from "../support/backup-bucket.ts";
import { workerSide } from "../support/backup-rig.ts";
import { serveBackups, type BackupServer } from "../support/backup-server.ts";
import { startRig, type SupervisorRig } from "../support/supervisor-rig.ts";

/** Marks what Telegram sends as done and never writes it into a conversation. Comes up when it may. */
const gateway = (telegramPort: number) => `
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import http from "node:http";
import { DatabaseSync } from "node:sqlite";
import { WebSocketServer } from ${JSON.stringify(import.meta.resolve("ws"))};

const home = process.env.HOME + "/.openclaw";
mkdirSync(home + "/state", { recursive: true });
const state = new DatabaseSync(home + "/state/openclaw.sqlite");
state.exec(\`
  CREATE TABLE IF NOT EXISTS channel_ingress_events
    (channel_id TEXT, event_id TEXT, status TEXT, completed_at INTEGER);
  CREATE TABLE IF NOT EXISTS plugin_state_entries (plugin_id TEXT, value_json TEXT);\`);
const done = state.prepare("INSERT INTO channel_ingress_events VALUES ('telegram', ?, 'completed', ?)");

writeFileSync(home + "/pid", String(process.pid));
const supervisor = process.ppid;
setInterval(() => process.ppid !== supervisor && process.exit(0), 100);
process.on("SIGTERM", () => process.exit(0));
while (existsSync(home + "/stays-away")) await new Promise((resolve) => setTimeout(resolve, 20));

http.createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => {
    done.run(String(JSON.parse(body).update_id), Date.now());
    appendFileSync(home + "/taken", process.pid + "\\n");
    response.end("{}");
  });
}).listen(${telegramPort}, "127.0.0.1");
const server = http.createServer((request, response) => response.end('{"ok":true,"ready":true}'));
new WebSocketServer({ server }).on("connection", (socket) => {
  socket.send('{"type":"event","event":"connect.challenge","payload":{"nonce":"n"}}');
  socket.on("message", (data) => {
    const { id, method } = JSON.parse(String(data));
    const payload = method === "connect" ? { type: "hello-ok", server: { version: "0.0.0" } } : {};
    socket.send(JSON.stringify({ type: "res", id, ok: true, payload }));
  });
});
server.listen(Number(process.argv[process.argv.indexOf("--port") + 1]), "127.0.0.1");
`;

let server: BackupServer;
let rig: SupervisorRig;
beforeEach(async () => {
  const worker = await workerSide(memoryBucket());
  await worker.backups.claim(1);
  server = await serveBackups(worker, () => 1);
  const telegramPort = await freePort();
  rig = await startRig({
    env: {
      ...{ HTTP_PROXY: server.origin, NO_PROXY: "127.0.0.1,localhost", NODE_USE_ENV_PROXY: "1" },
      MOLTWORKER_TELEGRAM_PORT: String(telegramPort),
    },
    prepare: async ({ root }) => {
      const openclaw = join(root, "forgetful");
      await mkdir(openclaw);
      await writeFile(join(openclaw, "package.json"), '{"version":"0.0.0"}');
      await writeFile(join(openclaw, "openclaw.mjs"), gateway(telegramPort));
      return { openclaw };
    },
  });
});
afterEach(async () => {
  await rig.close();
  server.close();
});

test("a message of a killed gateway is not kept before it is handed over again", async () => {
  const file = (name: string) => join(rig.folders.home, ".openclaw", name);
  const takers = () => (existsSync(file("taken")) ? readFileSync(file("taken"), "utf8") : "");
  await rig.boot({ backups: { intervalMs: 0 } });
  await rig.until((status) => status.gateway.state === "ready");
  const taken = await ask("/v1/deliver", {
    ...{ listener: "telegram", path: "/telegram-webhook", headers: {} },
    body: '{"update_id":5,"message":{"message_id":9,"chat":{"id":7},"from":{"id":7},"text":"hi"}}',
  });
  expect(deliverReply.parse(taken)).toMatchObject({ ok: true, status: 200 });
  const { mark } = markReply.parse(await ask("/v1/mark", {}));

  const first = readFileSync(file("pid"), "utf8");
  writeFileSync(file("stays-away"), "");
  process.kill(Number(first), "SIGKILL");
  await rig.until((status) => status.gateway.state !== "ready");
  await sleep(BEHIND_MS + 500);
  expect(backupReply.parse(await ask("/v1/backup", {}))).toMatchObject({ ok: true });
  const down = await rig.status();
  expect(down.gateway.state).not.toBe("ready");
  expect(down.keptMark).toBe(mark - 1);

  rmSync(file("stays-away"));
  await rig.until(({ keptMark }) => keptMark === mark);
  expect(takers()).toBe(`${first}\n${readFileSync(file("pid"), "utf8")}\n`);
});

async function ask(path: string, body: object): Promise<unknown> {
  return (await rig.control(path, { method: "POST", body: JSON.stringify(body) })).json();
}
