import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { startAnthropic } from "../emulators/anthropic.ts";
import { startOpenai } from "../emulators/openai.ts";
import { api, callsOf } from "../support/ai-admin.ts";
import type { Emulator, Fault } from "../support/ai-emulator.ts";
import { eventually } from "../support/ai-eventually.ts";
import { ANTHROPIC_KEY, OPENAI_KEY, startAiRig, type AiRig } from "../support/ai-rig.ts";
import { startAiWorker, type AiWorker } from "../support/ai-worker.ts";

const HEADERS = { "content-type": "application/json", "anthropic-version": "2023-06-01" };
const ASK = ` {"model":"gpt-5.5","stream":true,"stream_options":{"include_usage":true},"x":1.0}`;
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** OpenAI with OpenRouter behind it. */
async function twoPlaces(more: object = {}): Promise<AiRig & { second: Emulator }> {
  const second = await startOpenai();
  const rig = await startAiRig({
    openrouter: { apiKey: "sk-or-planted", baseUrl: `${second.url}/v1` },
    configured: "openai/gpt-5.5",
    firstByteMs: 2_000,
    ...more,
  });
  closers.push(second.close, rig.close);
  await api(rig, "PUT", "/api/models/routing", { fallbacks: ["openrouter/openai/gpt-5.5"] });
  return { ...rig, second };
}

function chat(rig: AiRig, body = ASK) {
  return fetch(`${rig.worker.url}/openai/v1/chat/completions`, {
    method: "POST",
    headers: HEADERS,
    body,
  });
}

describe("a call goes to the next place", () => {
  it.each<[string, Fault, string]>([
    ["does not answer", { kind: "hang" }, "no-answer-in-time"],
    ["begins no body", { kind: "stall", afterEvents: 0 }, "no-answer-in-time"],
    ["is rate limited", { kind: "error", status: 429, headers: { "retry-after": "60" } }, "429"],
    ["is rate limited without a word how long", { kind: "error", status: 429 }, "429"],
    ["times out", { kind: "error", status: 408 }, "408"],
    ["times out behind a proxy", { kind: "error", status: 524 }, "524"],
    ["breaks", { kind: "error", status: 500 }, "500"],
    ["is overloaded", { kind: "error", status: 529 }, "529"],
    ["breaks off at once", { kind: "cut", afterEvents: 0 }, "unreachable"],
  ])("when the first %s", async (_name, fault, told) => {
    const rig = await twoPlaces();
    rig.openai.fail(fault);
    const response = await chat(rig);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(rig.second.sent());
    expect(response.headers.get("x-moltworker-route")).toBe(
      `openrouter/openai/gpt-5.5; way=direct; attempt=2; after=openai/gpt-5.5:${told}`,
    );
    expect(rig.second.last().body.toString()).toBe(ASK.replace("gpt-5.5", "openai/gpt-5.5"));
    expect(rig.second.last().headers.authorization).toBe("Bearer sk-or-planted");
    await eventually(async () => (await callsOf(rig)).every(({ state }) => state !== "open"));
    const [second, first] = await callsOf(rig);
    expect(second).toMatchObject({ provider: "openrouter", attempt: 2, state: "settled" });
    expect(first).toMatchObject({ provider: "openai", attempt: 1 });
    expect(first?.requestId).toBe(second?.requestId);
    // Whoever refused charges nothing; whoever did not answer may, also where another says so for him.
    expect(first?.state).toBe(/^(?!408|524)\d/.test(told) ? "free" : "unsettled");
  });

  it("when the first is not there, which costs nothing", async () => {
    const rig = await twoPlaces();
    await rig.openai.close();
    expect(await (await chat(rig)).text()).toBe(rig.second.sent());
    await eventually(async () => (await callsOf(rig)).every(({ state }) => state !== "open"));
    expect(await callsOf(rig)).toMatchObject([
      { provider: "openrouter", attempt: 2, state: "settled" },
      { provider: "openai", attempt: 1, state: "free", reason: "unreachable", usd: 0 },
    ]);
  });

  it.each([400, 401, 403, 404, 413, 422])("but not for a %i of its own making", async (status) => {
    const rig = await twoPlaces();
    rig.openai.fail({ kind: "error", status });
    expect((await chat(rig)).status).toBe(status);
    expect(rig.second.requests).toEqual([]);
  });

  it("but not after the first byte", async () => {
    const rig = await twoPlaces();
    rig.openai.fail({ kind: "cut", afterEvents: 1 });
    await expect((await chat(rig)).text()).rejects.toThrow(/terminated/);
    expect(rig.second.requests).toEqual([]);
  });

  it("but not with an embedding", async () => {
    const rig = await twoPlaces();
    rig.openai.keepFailing({ kind: "error", status: 500, headers: { "x-should-retry": "false" } });
    const response = await fetch(`${rig.worker.url}/openai/v1/embeddings`, {
      method: "POST",
      headers: HEADERS,
      body: '{"model":"text-embedding-3-small","input":"x"}',
    });
    expect(response.status).toBe(500);
    expect(rig.second.requests).toEqual([]);
  });
});

it("patience ends a wait for a place that has another behind it, and not the last one's", async () => {
  const rig = await twoPlaces({ firstByteMs: 60_000 });
  const fallbacks = ["openrouter/openai/gpt-5.5"];
  await api(rig, "PUT", "/api/models/routing", { fallbacks, patienceSeconds: 1 });
  rig.openai.fail({ kind: "hang" });
  rig.second.fail({ kind: "slow-headers", ms: 1500 });
  const response = await chat(rig);
  expect(await response.text()).toBe(rig.second.sent());
  expect(response.headers.get("x-moltworker-route")).toBe(
    "openrouter/openai/gpt-5.5; way=direct; attempt=2; after=openai/gpt-5.5:no-answer-in-time",
  );
});

it("a place that keeps failing is skipped, and shown as such", async () => {
  const rig = await twoPlaces();
  rig.openai.keepFailing({ kind: "error", status: 500 });
  for (let n = 0; n < 3; n += 1) await (await chat(rig)).text();
  await eventually(async () => (await callsOf(rig)).every(({ state }) => state !== "open"));
  const before = rig.openai.requests.length;
  const response = await chat(rig);
  expect(response.headers.get("x-moltworker-route")).toBe(
    "openrouter/openai/gpt-5.5; way=direct; attempt=1",
  );
  expect(rig.openai.requests.length).toBe(before);
  const models: unknown = await (await api(rig, "GET", "/api/models")).json();
  expect(models).toMatchObject({
    providers: expect.arrayContaining([
      expect.objectContaining({ id: "openai", skippedUntil: expect.any(Number) }),
    ]),
  });
  // With nothing left but the failing, it is tried again rather than nobody.
  rig.second.keepFailing({ kind: "error", status: 400 });
  await api(rig, "PUT", "/api/models/routing", { fallbacks: [] });
  rig.openai.keepFailing();
  expect((await chat(rig)).status).toBe(200);
});

it("a single place is asked again, after the time it asked for", async () => {
  const rig = await startAiRig();
  closers.push(rig.close);
  rig.openai.fail(
    { kind: "error", status: 429, headers: { "retry-after-ms": "40" } },
    { kind: "error", status: 503 },
  );
  const response = await chat(rig);
  expect(response.status).toBe(200);
  expect(response.headers.get("x-moltworker-route")).toBe(
    "openai/gpt-5.5; way=direct; attempt=3; after=openai/gpt-5.5:429,openai/gpt-5.5:503",
  );
  rig.openai.fail({ kind: "error", status: 429, headers: { "retry-after": "30" } });
  const told = await chat(rig);
  expect([told.status, told.headers.get("retry-after")]).toEqual([429, "30"]);
});

describe("a caller who goes away before the first byte", () => {
  it.each([
    ["messages", "/anthropic/v1/messages", "anthropic"],
    ["chat", "/openai/v1/chat/completions", "openai"],
  ] as const)(
    "ends the provider's call, which is counted at once: %s",
    async (_wire, path, provider) => {
      const rig = await startAiRig();
      closers.push(rig.close);
      rig[provider].keepFailing({ kind: "hang" });
      const gone = leaver(rig, path);
      await eventually(() => rig[provider].requests.length === 1);
      gone();
      await eventually(() => rig[provider].last().cancelled);
      await eventually(async () => (await callsOf(rig))[0]?.state !== "open");
      expect(await callsOf(rig)).toMatchObject([{ reason: "cancelled", usd: expect.any(Number) }]);
    },
  );

  it("or while the next attempt waits costs nothing more", async () => {
    const rig = await startAiRig();
    closers.push(rig.close);
    rig.openai.keepFailing({ kind: "error", status: 503, headers: { "retry-after-ms": "2900" } });
    const gone = leaver(rig, "/openai/v1/chat/completions");
    await eventually(async () => (await callsOf(rig))[0]?.state === "free");
    gone();
    await eventually(() => rig.worker.logs().includes("model call failed"));
    expect(rig.openai.requests.length).toBe(1);
    expect(await callsOf(rig)).toMatchObject([{ attempt: 1, state: "free", usd: 0 }]);
  });
});

/** A call over a connection of its own. @returns breaks the connection */
function leaver(rig: AiRig, path: string): () => void {
  const { port, hostname } = new URL(rig.worker.url);
  const body = '{"model":"m","max_tokens":9,"stream":true,"messages":[]}';
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\n` +
      `content-length: ${body.length}\r\n\r\n${body}`,
  );
  return () => socket.resetAndDestroy();
}

it("another primary takes the configured one's calls at once, and no others", async () => {
  const anthropic = await startAnthropic();
  const rig = await twoPlaces({ anthropic: { apiKey: ANTHROPIC_KEY, baseUrl: anthropic.url } });
  closers.push(anthropic.close);
  const set = (routing: object) => api(rig, "PUT", "/api/models/routing", routing);
  expect(await (await set({ primary: "openrouter/some/model" })).json()).toMatchObject({
    ok: true,
    afterRestart: false,
  });
  await (await chat(rig)).text();
  expect(rig.second.last().body.toString()).toContain('"model":"some/model"');
  const before = rig.second.requests.length;
  await (await chat(rig, ASK.replace("gpt-5.5", "gpt-4.1"))).text();
  expect(rig.second.requests.length).toBe(before);
  // Another wire format is the agent's to speak: it does after its next start.
  expect(await (await set({ primary: "anthropic/claude-opus-5" })).json()).toMatchObject({
    afterRestart: true,
  });
  await (await chat(rig)).text();
  expect(rig.openai.last().body.toString()).toBe(ASK);
  for (const wrong of [
    { primary: "nobody/x" },
    { primary: "google/gemini" },
    { fallbacks: ["workers-ai/x"] },
    { fallbacks: ["anthropic/claude-opus-5"] },
  ]) {
    expect((await set(wrong)).status).toBe(409);
  }
  expect((await set({ primary: "no slash" })).status).toBe(400);
  expect(JSON.stringify(await (await api(rig, "GET", "/api/models")).json())).not.toContain(
    OPENAI_KEY,
  );
});

it("a fallback that would never be asked is refused, and one that came to be so is shown", async () => {
  const stateDir = await mkdtemp(join(tmpdir(), "moltworker-routing-"));
  closers.push(() => rm(stateDir, { recursive: true, force: true }));
  const unused = "http://127.0.0.1:1/v1";
  const more = { stateDir, openrouter: { apiKey: "k", baseUrl: unused } };
  const rig = await startAiRig({ ...more, configured: "anthropic/claude-opus-5" });
  const set = (routing: object) => api(rig, "PUT", "/api/models/routing", routing);
  const refused = await set({ fallbacks: ["anthropic/claude-sonnet-5", "openai/gpt-5.5"] });
  expect([refused.status, await refused.json()]).toEqual([
    409,
    {
      error: {
        code: "fallback_format",
        message: expect.stringMatching(
          /^openai\/gpt-5.5 cannot stand in .* Anthropic Messages: Anthropic, OpenRouter can\.$/,
        ),
      },
    },
  ]);
  const fallbacks = ["openrouter/anthropic/claude-opus-5", "anthropic/claude-sonnet-5"];
  expect((await set({ fallbacks })).status).toBe(200);
  expect((await set({ primary: "openai/gpt-5.5", fallbacks })).status).toBe(409);
  const shown = async ({ worker }: AiRig) =>
    (await (await fetch(`${worker.url}/api/models`)).json()) as { unfit: string[] };
  expect((await shown(rig)).unfit).toEqual([]);
  await rig.close();

  const later = await startAiRig({ ...more, configured: "openai/gpt-5.5" });
  closers.push(later.close);
  expect((await shown(later)).unfit).toEqual(["anthropic/claude-sonnet-5"]);
});

it("an identical request is answered from the cache once that is switched on", async () => {
  const rig = await startAiRig();
  closers.push(rig.close);
  const body = JSON.stringify({
    model: "claude-opus-5",
    max_tokens: 9,
    stream: true,
    messages: [],
  });
  const ask = (text = body) =>
    fetch(`${rig.worker.url}/anthropic/v1/messages`, {
      method: "POST",
      headers: HEADERS,
      body: text,
    });
  await (await ask()).text();
  await (await ask()).text();
  expect(rig.anthropic.requests.length).toBe(2);
  await api(rig, "PUT", "/api/spend/settings", { cache: { enabled: true, ttlSeconds: 60 } });
  const first = await (await ask()).text();
  await eventually(async () => (await callsOf(rig)).every(({ state }) => state !== "open"));
  const hit = await ask();
  expect([hit.headers.get("x-moltworker-cache"), hit.headers.get("content-type")]).toEqual([
    "hit",
    "text/event-stream; charset=utf-8",
  ]);
  expect(await hit.text()).toBe(first);
  expect(rig.anthropic.requests.length).toBe(3);
  expect((await callsOf(rig))[0]).toMatchObject({ cached: true, route: "cache", usd: 0 });
  expect((await ask(`${body} `)).headers.get("x-moltworker-cache")).toBeNull();
});

it("an answer that a cap made shorter is not kept for others", async () => {
  const rig = await startAiRig({ caps: { dayTokens: 5000 } });
  closers.push(rig.close);
  await api(rig, "PUT", "/api/spend/settings", { cache: { enabled: true, ttlSeconds: 60 } });
  const ask = async (limit: number) => {
    const body = `{"model":"claude-opus-5","max_tokens":${limit},"messages":[]}`;
    const url = `${rig.worker.url}/anthropic/v1/messages`;
    const response = await fetch(url, { method: "POST", headers: HEADERS, body });
    await response.text();
    await eventually(async () => (await callsOf(rig)).every(({ state }) => state !== "open"));
    return [response.status, response.headers.get("x-moltworker-cache")];
  };
  expect(await ask(64_000)).toEqual([200, null]);
  expect(await ask(64_000)).toEqual([200, null]);
  expect(await ask(9)).toEqual([200, null]);
  expect(await ask(9)).toEqual([200, "hit"]);
});

describe("every answer says which route it took", () => {
  const routeOf = async (worker: AiWorker, path: string, body?: string) => {
    const init = body === undefined ? {} : { method: "POST", headers: HEADERS, body };
    const response = await fetch(`${worker.url}${path}`, init);
    return [response.status, response.headers.get("x-moltworker-route")];
  };

  it("also when the call was refused, or cost nothing", async () => {
    const rig = await startAiRig({ caps: { dayTokens: 10 } });
    closers.push(rig.close);
    const asked = '{"model":"claude-opus-5","max_tokens":9,"messages":[]}';
    for (const [path, body, expected] of [
      ["/anthropic/v1/messages", asked, [400, "anthropic/claude-opus-5; way=none; attempt=0"]],
      ["/anthropic/v1/messages", "{", [400, "anthropic; way=none; attempt=0"]],
      ["/openai/v1/files", "{}", [404, "openai; way=none; attempt=0"]],
      ["/nobody", "{}", [404, "-; way=none; attempt=0"]],
      ["/google/v1beta/models", undefined, [401, "google; way=none; attempt=0"]],
      ["/anthropic/v1/messages/count_tokens", asked, [200, "anthropic; way=direct; attempt=1"]],
      ["/openai/v1/models", undefined, [200, "openai; way=direct; attempt=1"]],
    ] as const) {
      expect(await routeOf(rig.worker, path, body)).toEqual(expected);
    }
    rig.openai.fail({ kind: "error", status: 503 });
    expect(await routeOf(rig.worker, "/openai/v1/models")).toEqual([
      503,
      "openai; way=direct; attempt=1",
    ]);
  });

  it("also when no provider is set up", async () => {
    const worker = await startAiWorker({});
    closers.push(worker.close);
    expect(await routeOf(worker, "/openai/v1/responses", '{"model":"m","input":"x"}')).toEqual([
      401,
      "openai; way=none; attempt=0",
    ]);
  });
});
