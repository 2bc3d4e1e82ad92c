/**
 * Stands in for the supervisor in a sandbox: speaks the control protocol, serves a front port, and
 * does what `scenario.json` says. Each start reads it anew; what happens is written to `log`.
 */
import { createHash, createHmac } from "node:crypto";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { BootDocument } from "../../src/protocol/boot.ts";
import type { GatewayState } from "../../src/protocol/control.ts";
import type { Scenario } from "./agent-scenario.ts";

type Handler = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
) => void | Promise<void>;

const folder = process.env["SCENARIO_FOLDER"] ?? "/scenario";
const scenario: Scenario = JSON.parse(readFileSync(`${folder}/scenario.json`, "utf8"));
const note = (text: string): void => appendFileSync(`${folder}/log`, `${text}\n`);
const json = (response: http.ServerResponse, code: number, value: object): void => {
  response.writeHead(code, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
};
const read = async (request: http.IncomingMessage) => {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text === "" ? undefined : JSON.parse(text);
};

note("start");
if (scenario.crashAtStart !== undefined) process.exit(scenario.crashAtStart);

let boot: BootDocument | undefined;
let state: GatewayState = "idle";
let lastError: string | undefined;
let marks = 0;
let { gatewayAwayMs } = scenario;
let kept = 0;
/** What this gateway has, as its own database would: what a backup held before, and what came since. */
const taken = new Set(
  readFileSync(`${folder}/log`, "utf8")
    .split("\n")
    .flatMap((line) => /^kept (.*)$/.exec(line)?.[1] ?? []),
);
const unkept = new Set<string>();
const streams = new Set<http.ServerResponse>();
const paired = scenario.paired ?? [];
let pending = scenario.pending ?? [];

const status = () => ({
  protocol: 1,
  agentId: boot?.agentId,
  startGeneration: boot?.startGeneration,
  gateway: { state, restarts: 0, ...(lastError === undefined ? {} : { lastError }) },
  isolation: "none",
  memory: { supervisor: process.memoryUsage().rss },
  uptimeMs: process.uptime() * 1000,
  connections: scenario.connections ?? 0,
  busy: scenario.busy ?? false,
  keptMark: kept,
  ...(scenario.nextDue === undefined ? {} : { nextDue: scenario.nextDue }),
  backups: {
    ...{ state: "watching", generation: 0, failures: 0, unkept: [] },
    ...(scenario.unkeptFor === undefined ? {} : { dirtySince: Date.now() - scenario.unkeptFor }),
    ...(scenario.lastBackup === undefined || state !== "stopped"
      ? {}
      : { lastError: { at: Date.now(), message: scenario.lastBackup } }),
  },
});
const become = (next: GatewayState, error?: string): void => {
  state = next;
  lastError = error;
  for (const stream of streams) stream.write(`data: ${JSON.stringify(status())}\n\n`);
};

const rpc: Record<string, (params: { requestId: string; deviceId: string }) => object> = {
  "device.pair.list": () => ({ pending, paired }),
  "device.pair.approve": ({ requestId }) => {
    if (scenario.approveFails) throw new Error("the gateway refuses");
    const request = pending.find((each) => each.requestId === requestId);
    pending = pending.filter((each) => each !== request);
    if (request !== undefined) paired.push(request);
    return {};
  },
  "device.pair.reject": ({ requestId }) => {
    pending = pending.filter((each) => each.requestId !== requestId);
    return {};
  },
  "device.pair.rename": () => ({}),
  "device.pair.remove": ({ deviceId }) => {
    paired.splice(0, paired.length, ...paired.filter((each) => each.deviceId !== deviceId));
    return {};
  },
};

const routes: Record<string, Handler> = {
  "POST /v1/boot": async (request, response) => {
    const document: BootDocument = await read(request);
    await new Promise((resolve) => setTimeout(resolve, scenario.bootMs ?? 0));
    boot = document;
    writeFileSync(`${folder}/control-token`, boot.controlToken);
    const config = createHash("sha256").update(boot.gatewayConfig).digest("hex");
    note(`boot ${boot.startGeneration} ${config} ${boot.approvedDevices.length}`);
    for (const { update } of boot.handedOver ?? []) note(`handed over before ${update}`);
    if (scenario.crashAtBoot !== undefined) process.exit(scenario.crashAtBoot);
    become("starting");
    json(response, 200, status());
    const { gateway = "ready", gatewayMs = 50, gatewayError } = scenario;
    if (gateway !== "never") setTimeout(() => become(gateway, gatewayError), gatewayMs);
  },
  "GET /v1/status": (_request, response) => json(response, 200, status()),
  "GET /v1/events": (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`data: ${JSON.stringify(status())}\n\n`);
    streams.add(response);
    response.on("close", () => streams.delete(response));
  },
  "POST /v1/rpc": async (request, response) => {
    const { method, params } = await read(request);
    try {
      json(response, 200, { ok: true, result: rpc[method]?.(params) });
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      json(response, 200, { ok: false, error: { code: "REFUSED", message: text } });
    }
  },
  "PUT /v1/devices": async (request, response) => {
    const { approvedDevices } = await read(request);
    note(`devices ${approvedDevices.map((id: string) => id.slice(0, 4)).join(",")}`);
    if (scenario.devicesFail) return json(response, 500, { error: "no" });
    return json(response, 200, { ok: true });
  },
  "GET /v1/logs": (_request, response) =>
    json(response, 200, {
      lines: [{ n: 1, at: 2, source: "gateway", level: "info", text: "hello" }],
    }),
  "GET /v1/processes": (_request, response) =>
    json(response, 200, { processes: [{ pid: 1, name: "supervisor", rss: 1, cpuSeconds: 1 }] }),
  "POST /v1/suspend": (_request, response) => {
    note("suspend");
    const { awake } = scenario;
    if (awake === undefined) return json(response, 200, { ok: true });
    return json(response, 200, { ok: false, reason: awake, message: "the bucket does not answer" });
  },
  "POST /v1/deliver": async (request, response) => {
    const { headers, body } = await read(request);
    if (gatewayAwayMs !== undefined && state === "ready") {
      become("backoff");
      setTimeout(() => {
        gatewayAwayMs = undefined;
        become("ready");
      }, gatewayAwayMs);
    }
    if (scenario.listener === "is not there" || state !== "ready") {
      return json(response, 200, { ok: false, message: "connect ECONNREFUSED" });
    }
    if (scenario.listener === "refuses") {
      return json(response, 200, { ok: true, status: 400, headers: {}, body: "no such update" });
    }
    if (headers["x-slack-signature"] !== undefined) {
      const time = headers["x-slack-request-timestamp"];
      const mac = createHmac("sha256", boot?.gatewayToken ?? "").update(`v0:${time}:${body}`);
      const inner = headers["x-slack-signature"] === `v0=${mac.digest("hex")}`;
      note(`deliver ${inner ? "" : "without the inner signature "}${body}`);
      return json(response, 200, { ok: true, status: 200, headers: {}, body: "" });
    }
    const token = headers["x-telegram-bot-api-secret-token"] === boot?.gatewayToken;
    const id = String(JSON.parse(body).update_id);
    // As the real one does: an update that it has already is taken once more and changes nothing.
    if (!taken.has(id)) note(`deliver ${id}${token ? "" : " without the inner token"}`);
    taken.add(id);
    unkept.add(id);
    return json(response, 200, {
      ok: true,
      status: 200,
      headers: { "x-openclaw-delivery-accepted": "durable" },
      body: "",
    });
  },
  "POST /v1/mark": (_request, response) => {
    marks += 1;
    const [mark, ids] = [marks, [...unkept]];
    unkept.clear();
    json(response, 200, { mark });
    if (scenario.keeps === false) return;
    setTimeout(() => {
      for (const id of ids) note(`kept ${id}`);
      kept = mark;
      become(state);
    }, scenario.keepMs ?? 0);
  },
  "POST /v1/resume": (_request, response) => json(response, 200, { ok: true }),
  "POST /v1/backup": (_request, response) => {
    const { unkeepable: reason } = scenario;
    if (reason === undefined) return json(response, 200, { ok: true, made: true, generation: 1 });
    return json(response, 200, { ok: false, reason, message: `it is ${reason}` });
  },
  "POST /v1/drill": async (request, response) => {
    const { plan } = await read(request);
    note(`drill ${plan.generation}`);
    json(response, 200, { ok: true, generation: plan.generation, bytes: 1, ms: 1 });
  },
  "POST /v1/stop": async (request, response) => {
    await read(request);
    note("stop");
    await new Promise((resolve) => setTimeout(resolve, scenario.stopMs ?? 0));
    if (scenario.stopFails) return json(response, 500, { error: "out of memory" });
    become("stopped");
    note("stopped");
    return json(response, 200, status());
  },
};

const control = http.createServer((request, response) => {
  const route = `${request.method} ${new URL(request.url ?? "/", "http://x").pathname}`;
  if (route === "GET /v1/hello") {
    return json(response, 200, {
      protocol: scenario.protocol ?? 1,
      state: boot === undefined ? "idle" : "booted",
    });
  }
  const open = route === "POST /v1/boot" && boot === undefined;
  if (!open && request.headers.authorization !== `Bearer ${boot?.controlToken}`) {
    return json(response, 401, { error: "unauthorized" });
  }
  return routes[route]?.(request, response);
});

const front = http.createServer(async (request, response) => {
  const url = new URL(request.url ?? "/", "http://x");
  if (url.pathname === "/serve") {
    // Whatever the test wants the hostile sandbox to say.
    const { status: code, headers, body } = JSON.parse(url.searchParams.get("answer") ?? "{}");
    response.writeHead(code, headers);
    return response.end(body);
  }
  if (url.pathname === "/fetch") {
    const answer = await fetch(url.searchParams.get("url") ?? "").catch((error: unknown) => error);
    if (!(answer instanceof Response)) return json(response, 502, { text: String(answer) });
    return json(response, 200, { status: answer.status, text: await answer.text() });
  }
  if (url.pathname === "/exit") process.exit(Number(url.searchParams.get("code")));
  let length = 0;
  for await (const chunk of request) length += chunk.length;
  return json(response, 200, { url: request.url, headers: request.headers, length });
});

// RFC 6455: unmasks short text frames and sends them back.
front.on("upgrade", (request, socket) => {
  const accept = createHash("sha1")
    .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest("base64");
  const cookie = request.url?.includes("cookie") ? "Set-Cookie: planted=1\r\n" : "";
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Accept: ${accept}\r\n${cookie}\r\n`,
  );
  socket.on("error", () => undefined);
  socket.on("data", (frame: Buffer) => {
    const length = (frame[1] ?? 0) & 127;
    if (((frame[0] ?? 0) & 15) !== 1) return socket.end();
    const mask = frame.subarray(2, 6);
    const text = frame.subarray(6, 6 + length).map((byte, index) => byte ^ (mask[index % 4] ?? 0));
    return socket.write(Buffer.concat([Buffer.from([0x81, length]), text]));
  });
});

setTimeout(() => {
  control.listen(8081, "0.0.0.0");
  front.listen(8080, "0.0.0.0");
}, scenario.silentMs ?? 0);
