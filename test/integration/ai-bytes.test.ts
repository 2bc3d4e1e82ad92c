import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/ai-eventually.ts";
import { ANTHROPIC_KEY, OPENAI_KEY, PLACEHOLDER, startAiRig } from "../support/ai-rig.ts";
import type { AiRig } from "../support/ai-rig.ts";
import { startAiWorker, type AiWorker } from "../support/ai-worker.ts";

const HEADERS = {
  "content-type": "application/json",
  "anthropic-version": "2023-06-01",
  "x-api-key": PLACEHOLDER,
  authorization: `Bearer ${PLACEHOLDER}`,
};

let rig: AiRig;
beforeAll(async () => {
  rig = await startAiRig({ maxRequestBytes: 1_048_576 });
});
afterAll(() => rig?.close());

function post(
  path: string,
  body: string | Buffer<ArrayBuffer> | ReadableStream,
  headers: Record<string, string> = {},
) {
  return fetch(`${rig.worker.url}${path}`, {
    method: "POST",
    headers: { ...HEADERS, ...headers },
    body,
    ...(body instanceof ReadableStream ? { duplex: "half" as const } : {}),
  });
}

const WIRES = [
  ["anthropic", "/anthropic/v1/messages", { max_tokens: 9, messages: [] }],
  ["openai", "/openai/v1/chat/completions", { messages: [] }],
  ["openai", "/openai/v1/responses", { input: "x" }],
] as const;

describe.each(WIRES)("%s %s", (provider, path, fields) => {
  // Spacing, order, escapes and unknown fields that any reading and writing would lose.
  const body = (stream: boolean) =>
    ` {"x_unknown" : [1.0, 1e2, "\\u4f60"],\n"stream":${stream}, "model":"m-1",` +
    `${JSON.stringify(fields).slice(1, -1)}, "z": {"thinking":null}}\t`;

  it("passes the request byte for byte, with its length", async () => {
    const sent = body(false);
    await (await post(path, sent)).text();
    expect(rig[provider].last().body.toString()).toBe(sent);
    expect(rig[provider].last().headers["content-length"]).toBe(String(Buffer.byteLength(sent)));
  });

  it("passes the whole answer byte for byte", async () => {
    const response = await post(path, body(false));
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(rig[provider].sent());
  });

  it("passes the stream byte for byte", async () => {
    const response = await post(path, body(true));
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(await response.text()).toBe(rig[provider].sent());
  });

  it("passes each event as it comes", async () => {
    rig[provider].fail({ kind: "stall", afterEvents: 3 });
    const response = await post(path, body(true));
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (text.split("\n\n").length <= 3) text += (await reader?.read())?.value ?? "";
    expect(text).toBe(rig[provider].sent());
    await reader?.cancel();
  });

  it("passes an answer that the provider compressed against the wish", async () => {
    rig[provider].fail({ kind: "gzip" });
    const response = await post(path, body(false));
    expect(await response.text()).toBe(rig[provider].sent());
  });

  it("asks for no compression, and sends nothing that it was not meant to", async () => {
    await (
      await post(path, body(false), {
        cookie: "session=1",
        "x-forwarded-for": "6.6.6.6",
        "x-moltworker-client": "6.6.6.6",
        "openai-organization": "org-other",
      })
    ).text();
    const { headers } = rig[provider].last();
    expect(headers["accept-encoding"]).toBe("identity");
    const all = JSON.stringify(headers);
    for (const absent of [PLACEHOLDER, "session=1", "6.6.6.6", "org-other"]) {
      expect(all).not.toContain(absent);
    }
  });

  it("gives back no cookie, no account and no key", async () => {
    const response = await post(path, body(false));
    const all = JSON.stringify([...response.headers]) + (await response.text());
    expect(response.headers.get("set-cookie")).toBeNull();
    expect(all).toMatch(/ratelimit/);
    for (const absent of ["org", ANTHROPIC_KEY, OPENAI_KEY]) expect(all).not.toContain(absent);
  });

  it("takes the key out of an error that repeats it", async () => {
    rig[provider].fail({ kind: "echo-key", status: 401 });
    const response = await post(path, body(false));
    const text = await response.text();
    expect(response.status).toBe(401);
    expect(text).toContain("[redacted]");
    expect(text).not.toContain(ANTHROPIC_KEY);
    expect(text).not.toContain(OPENAI_KEY);
  });

  it("passes any other error byte for byte", async () => {
    const page = "<html>\n<h1>502 Bad Gateway</h1> \u{1f4a5}</html>";
    const headers = { "content-type": "text/html" };
    rig[provider].keepFailing({ kind: "raw", status: 502, headers, body: page });
    const response = await post(path, body(false));
    rig[provider].keepFailing();
    expect([response.status, response.headers.get("content-type"), await response.text()]).toEqual([
      502,
      "text/html",
      page,
    ]);
  });

  it("refuses a body over the limit, declared or not, in the provider's words", async () => {
    const big = randomBytes(1_048_577);
    const before = rig[provider].requests.length;
    const declared = await post(path, big);
    expect(declared.status).toBe(413);
    expect(rig[provider].requests.length).toBe(before);
    const undeclared = await post(path, new Blob([big]).stream());
    expect(undeclared.status).toBe(413);
    for (const response of [declared, undeclared]) {
      expect(await response.json()).toMatchObject({
        error: { message: expect.stringMatching(/1 MiB/) },
      });
    }
  });

  it("streams a body of unknown length under the limit", async () => {
    const sent = body(false);
    const response = await post(path, new Blob([sent]).stream());
    expect(response.status).toBe(200);
    await response.text();
    expect(rig[provider].last().body.toString()).toBe(sent);
  });

  it("ends the provider's request when the caller breaks off before the first byte", async () => {
    const before = rig[provider].requests.length;
    rig[provider].fail({ kind: "hang" });
    const { hostname, port, host } = new URL(rig.worker.url);
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 13\r\n\r\n{"model":"m"}`,
    );
    await eventually(() => rig[provider].requests.length > before);
    expect(rig[provider].last().cancelled).toBe(false);
    // workerd sees a caller that is gone before it has written to it by a reset alone.
    socket.resetAndDestroy();
    await eventually(() => rig[provider].last().cancelled);
  });
});

it("passes the query", async () => {
  await post("/anthropic/v1/messages?beta=true", '{"model":"m","max_tokens":1,"messages":[]}');
  expect(rig.anthropic.last().path).toBe("/v1/messages?beta=true");
});

describe("a slow reader", () => {
  const CHUNK = Buffer.from(`: ${"x".repeat(65_532)}\n\n`);
  const CHUNKS = 1000;
  let sent = 0;
  let server: Server;
  let worker: AiWorker;
  beforeAll(async () => {
    server = createServer((request, response) => {
      request.resume().on("end", async () => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        for (; sent < CHUNKS && !response.destroyed; sent += 1) {
          if (!response.write(CHUNK)) await once(response, "drain");
        }
        response.end();
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (typeof address !== "object" || address === null) throw new Error("no address");
    const baseUrl = `http://127.0.0.1:${address.port}`;
    worker = await startAiWorker({ anthropic: { apiKey: ANTHROPIC_KEY, baseUrl } });
  });
  afterAll(async () => {
    await worker?.close();
    server?.closeAllConnections();
    server?.close();
  });

  it("slows the provider down instead of filling the Worker, and has everything in the end", async () => {
    const response = await fetch(`${worker.url}/anthropic/v1/messages`, {
      method: "POST",
      headers: HEADERS,
      body: '{"model":"m","max_tokens":9,"stream":true,"messages":[]}',
    });
    const reader = response.body?.getReader();
    let size = (await reader?.read())?.value?.byteLength ?? 0;
    // Nobody reads: what the connections hold fills up, and then the provider has to wait.
    let before = -1;
    while (before !== sent) {
      before = sent;
      await sleep(500);
    }
    expect(sent).toBeLessThan(CHUNKS);
    for (;;) {
      const next = await reader?.read();
      if (next === undefined || next.done) break;
      size += next.value.byteLength;
    }
    expect(size).toBe(CHUNKS * CHUNK.byteLength);
  });
});
