import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { spendOverviewOf, callsOf, api } from "../support/ai-admin.ts";
import { eventually } from "../support/ai-eventually.ts";
import { startAiRig, type AiRig } from "../support/ai-rig.ts";
import { startReceiver, type Receiver } from "../support/ai-receiver.ts";

const HEADERS = { "content-type": "application/json", "anthropic-version": "2023-06-01" };
const MESSAGE = { model: "claude-opus-5", max_tokens: 1000, messages: [] };

function post(rig: AiRig, path: string, body: object) {
  return fetch(`${rig.worker.url}${path}`, {
    method: "POST",
    headers: HEADERS,
    body: JSON.stringify(body),
  });
}

async function settled(rig: AiRig, n: number) {
  await eventually(async () => {
    const calls = await callsOf(rig);
    return calls.length >= n && calls.every(({ state }) => state !== "open");
  });
  return callsOf(rig);
}

describe("the ledger", () => {
  let rig: AiRig;
  beforeAll(async () => {
    rig = await startAiRig();
  });
  afterAll(() => rig?.close());

  it.each([
    ["anthropic", "/anthropic/v1/messages", { input: 25, output: 15 }],
    ["openai", "/openai/v1/chat/completions", { input: 19, output: 10 }],
    ["openai", "/openai/v1/responses", { input: 37, output: 11 }],
  ] as const)("counts a stream of %s %s, to the token", async (provider, path, expected) => {
    const before = (await callsOf(rig)).length;
    const model = provider === "anthropic" ? "claude-opus-5" : "gpt-5.5";
    const response = await post(rig, path, { ...MESSAGE, model, stream: true });
    await response.text();
    expect(response.headers.get("x-moltworker-route")).toBe(
      `${provider}/${model}; way=direct; attempt=1`,
    );
    const [call] = await settled(rig, before + 1);
    expect(call).toMatchObject({ state: "settled", stream: true, ...expected });
    expect(call?.requestId).toBe(response.headers.get("x-moltworker-request-id"));
  });

  it("asks for the usage of a Chat Completions stream that would not tell it", async () => {
    await (
      await post(rig, "/openai/v1/chat/completions", { model: "gpt-5.5", stream: true })
    ).text();
    const sent: unknown = JSON.parse(rig.openai.last().body.toString());
    expect(sent).toEqual({
      stream_options: { include_usage: true },
      model: "gpt-5.5",
      stream: true,
    });
  });

  it("counts of a broken stream what it told as read, and as written all that was reserved", async () => {
    const before = (await callsOf(rig)).length;
    rig.anthropic.fail({ kind: "cut", afterEvents: 5 });
    const response = await post(rig, "/anthropic/v1/messages", { ...MESSAGE, stream: true });
    await expect(response.text()).rejects.toThrow(/terminated/);
    const [call] = await settled(rig, before + 1);
    expect(call).toMatchObject({
      state: "estimated",
      reason: "stream-broken",
      input: 25,
      output: 1000,
      usd: expect.closeTo(25 * 5e-6 + 1000 * 25e-6, 8),
    });
  });

  it.each([
    ["a long answer", "/openai/v1/responses", {}],
    ["a stream that has told nothing yet", "/openai/v1/chat/completions", { stream: true }],
  ])("counts in full %s that the caller left", async (_name, path, more) => {
    const before = (await callsOf(rig)).length;
    const body = { model: "gpt-5.5", max_tokens: 5000, max_output_tokens: 5000, ...more };
    const stream = `data: {"choices":[{"delta":{"content":"x"}}]}\n\n`;
    rig.openai.fail({
      kind: "endless",
      afterEvents: 1,
      with: {
        status: 200,
        headers: {
          "content-type": "stream" in more ? "text/event-stream" : "application/json",
        },
        chunks: ["stream" in more ? stream : '{"object":"response","output":[', "{}"],
      },
    });
    const response = await post(rig, path, body);
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    const [call] = await settled(rig, before + 1);
    expect(call).toMatchObject({ state: "unsettled", reason: "cancelled", output: 5000 });
    const bytes = JSON.stringify(body).length + 2048;
    expect(call?.usd).toBeCloseTo(bytes * 5e-6 + 5000 * 30e-6, 8);
  });

  it("does not count a call that the provider refused", async () => {
    const before = (await callsOf(rig)).length;
    rig.anthropic.fail({ kind: "error", status: 400 });
    await (await post(rig, "/anthropic/v1/messages", MESSAGE)).text();
    const [refused] = await settled(rig, before + 1);
    expect(refused).toMatchObject({ state: "free", status: 400, usd: 0, input: 0, output: 0 });
  });

  it("names the channel that the agent's prompt names", async () => {
    const system =
      "## Runtime\nRuntime: agent=main | host=x | channel=telegram | capabilities=none\n";
    await (await post(rig, "/anthropic/v1/messages", { ...MESSAGE, system })).text();
    expect((await settled(rig, 1))[0]).toMatchObject({ channel: "telegram" });
    const { byChannel } = await spendOverviewOf(rig);
    expect(byChannel.map(({ channel }) => channel)).toContain("telegram");
  });

  it("shows an unknown price as unknown and counts the worst case", async () => {
    const before = (await callsOf(rig)).length;
    await (
      await post(rig, "/anthropic/v1/messages", { ...MESSAGE, model: "claude-nobody-knows" })
    ).text();
    const [call] = await settled(rig, before + 1);
    expect(call).toMatchObject({
      priceKnown: false,
      usd: expect.closeTo(25 * 30e-6 + 15 * 180e-6, 8),
    });
    await api(rig, "PUT", "/api/spend/settings", {
      prices: [{ model: "anthropic/claude-nobody*", input: 1, output: 2 }],
    });
    await (
      await post(rig, "/anthropic/v1/messages", { ...MESSAGE, model: "claude-nobody-knows" })
    ).text();
    const [own] = await settled(rig, before + 2);
    expect(own).toMatchObject({ priceKnown: true, usd: expect.closeTo(25e-6 + 15 * 2e-6, 8) });
  });

  it.each([
    "[]",
    "{",
    '{"model":"m","max_tokens":1,"max_tokens":64000}',
    '{"model":"m","max_tokens":1,"max\\u005ftokens":64000}',
    '{"model":"m","max_tokens":1e999}',
    '{"model":7}',
    '{"max_tokens":1}',
  ])("makes no call whose cost cannot be read: %s", async (body) => {
    const before = rig.anthropic.requests.length;
    const response = await fetch(`${rig.worker.url}/anthropic/v1/messages`, {
      method: "POST",
      headers: HEADERS,
      body,
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { type: "invalid_request_error" } });
    expect(rig.anthropic.requests.length).toBe(before);
  });

  it("sums up, lists and exports without a word of what was said", async () => {
    await (
      await post(rig, "/anthropic/v1/messages", {
        ...MESSAGE,
        messages: [{ role: "user", content: "a secret sentence" }],
      })
    ).text();
    const calls = await settled(rig, 1);
    const overview = await spendOverviewOf(rig);
    const usd = calls.reduce((sum, call) => sum + call.usd, 0);
    expect(overview.today.usd).toBeCloseTo(usd, 7);
    expect(overview.month.calls).toBe(calls.length);
    expect(overview.trend).toEqual([{ day: overview.day, ...overview.today }]);
    expect(overview.byModel.map(({ model }) => model)).toContain("gpt-5.5");
    expect(overview.prices.date).toMatch(/^\d{4}-\d\d-\d\d$/);
    const csv = await (await fetch(`${rig.worker.url}/api/spend/calls.csv`)).text();
    expect(csv.split("\r\n").length).toBe(calls.length + 2);
    const days = await (await fetch(`${rig.worker.url}/api/spend/days.csv`)).text();
    const [head, ...lines] = days
      .trimEnd()
      .split("\r\n")
      .map((line) => line.split(","));
    expect(head?.slice(0, 5)).toEqual(["day", "provider", "model", "channel", "calls"]);
    const of = (name: string) =>
      lines.map((line) => Number(line[head?.indexOf(name) ?? -1])).reduce((a, b) => a + b);
    expect(of("calls")).toBe(calls.length);
    expect(of("usd")).toBeCloseTo(usd, 7);
    for (const text of [
      csv,
      days,
      JSON.stringify(overview),
      JSON.stringify(calls),
      rig.worker.logs(),
    ]) {
      expect(text).not.toContain("secret sentence");
    }
  });
});

describe("what was said", () => {
  let rig: AiRig;
  beforeAll(async () => {
    rig = await startAiRig();
  });
  afterAll(() => rig?.close());
  const textsOf = (n: number) => api(rig, "GET", `/api/spend/calls/${n}/texts`);
  const keep = (texts: object) => api(rig, "PUT", "/api/spend/settings", { texts });
  const said = [
    { role: "user", content: [{ type: "text", text: "what of sk-0123456789abcdefghij" }] },
  ];
  const body = { model: "m", max_tokens: 9, messages: said, input: said, contents: said };

  async function newest(path: string, more: object = {}) {
    const before = (await callsOf(rig)).length;
    await (await post(rig, path, { ...body, ...more })).text();
    return (await settled(rig, before + 1))[0];
  }

  it("is kept by nobody who did not ask for it", async () => {
    const call = await newest("/anthropic/v1/messages");
    expect(call?.texts).toBe(false);
    expect((await textsOf(call?.n ?? 0)).status).toBe(404);
  });

  it.each([
    ["/anthropic/v1/messages", {}],
    ["/anthropic/v1/messages", { stream: true }],
    ["/openai/v1/chat/completions", {}],
    ["/openai/v1/chat/completions", { stream: true }],
    ["/openai/v1/responses", {}],
    ["/openai/v1/responses", { stream: true }],
  ])("is kept once switched on, without credentials: %s %j", async (path, more) => {
    await keep({ enabled: true });
    const call = await newest(path, more);
    expect(call?.texts).toBe(true);
    const kept: unknown = await (await textsOf(call?.n ?? 0)).json();
    expect(kept).toEqual({ prompt: "what of [redacted]", answer: expect.stringMatching(/\w{3}/) });
    expect(rig.worker.logs()).not.toContain("what of");
  });

  it("has an end: long texts are cut, and off means gone", async () => {
    await keep({ enabled: true });
    const content = `${"x".repeat(50_000)}the end`;
    const call = await newest("/anthropic/v1/messages", { messages: [{ role: "user", content }] });
    const { prompt } = (await (await textsOf(call?.n ?? 0)).json()) as { prompt: string };
    expect([prompt.length, prompt.slice(-7)]).toEqual([4000, "the end"]);
    await keep({ enabled: false });
    expect((await textsOf(call?.n ?? 0)).status).toBe(404);
    expect((await callsOf(rig)).some(({ texts }) => texts)).toBe(false);
    expect((await keep({ enabled: true, days: 400 })).status).toBe(400);
  });
});

describe("a cap", () => {
  let rig: AiRig;
  let receiver: Receiver;
  beforeAll(async () => {
    receiver = await startReceiver();
  });
  afterAll(() => receiver?.close());
  afterEach(() => rig?.close());

  // One call: its bytes and what providers add at $10 (a cache written), 1000 tokens out at $25.
  const bound = async (body: object) => (JSON.stringify(body).length + 2048) * 10e-6 + 1000 * 25e-6;

  it("that fits ten of fifty calls at once lets ten through, and is never passed", async () => {
    const one = await bound(MESSAGE);
    rig = await startAiRig({ caps: { dayUsd: one * 10.5 } });
    rig.anthropic.keepFailing({ kind: "hang" });
    // Nothing is to be lowered here.
    const body = { ...MESSAGE, thinking: { type: "enabled", budget_tokens: 999 } };
    const stop = new AbortController();
    const calls = Array.from({ length: 50 }, () =>
      fetch(`${rig.worker.url}/anthropic/v1/messages`, {
        method: "POST",
        headers: HEADERS,
        body: JSON.stringify(body),
        signal: stop.signal,
      }).then(
        ({ status }) => status,
        () => "hung",
      ),
    );
    await eventually(async () => (await callsOf(rig)).length >= 9);
    let refused = 0;
    for (const call of calls) void call.then((status) => (refused += status === 400 ? 1 : 0));
    await eventually(() => refused + rig.anthropic.requests.length === 50);
    expect(rig.anthropic.requests.length).toBeLessThanOrEqual(10);
    expect(rig.anthropic.requests.length).toBeGreaterThanOrEqual(9);
    const { meters } = await spendOverviewOf(rig);
    const [meter] = meters;
    expect((meter?.spent ?? 0) + (meter?.reserved ?? 0)).toBeLessThanOrEqual(meter?.cap ?? 0);
    stop.abort();
    await Promise.all(calls);
  });

  it("lets real calls through as long as their bound fits, and its sum stays below", async () => {
    rig = await startAiRig({ caps: { dayUsd: 0.06 } });
    const statuses = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const response = await post(rig, "/anthropic/v1/messages", MESSAGE);
        await response.text();
        return response.status;
      }),
    );
    const answered = statuses.filter((status) => status === 200).length;
    expect(answered).toBe(rig.anthropic.requests.length);
    expect(answered).toBeGreaterThan(0);
    const calls = await settled(rig, answered);
    const usd = calls.reduce((sum, call) => sum + call.usd, 0);
    expect(usd).toBeCloseTo(answered * (25 * 5e-6 + 15 * 25e-6), 8);
    expect(usd).toBeLessThanOrEqual(0.06);
  });

  it("lowers what the model may write to what is left, and changes nothing else", async () => {
    rig = await startAiRig({ caps: { dayTokens: 5000 } });
    const body = ` {"x":[1.0], "max_tokens" : 64000,"model":"claude-opus-5","messages":[]}\n`;
    const response = await fetch(`${rig.worker.url}/anthropic/v1/messages`, {
      method: "POST",
      headers: HEADERS,
      body,
    });
    expect(response.status).toBe(200);
    const limit = 5000 - Buffer.byteLength(body) - 2048;
    expect(rig.anthropic.last().body.toString()).toBe(body.replace("64000", String(limit)));
  });

  it("is told in the provider's words, what to do with it, and can be raised for today", async () => {
    rig = await startAiRig({ caps: { dayUsd: 0.001, monthUsd: 5 } });
    const refused = await post(rig, "/anthropic/v1/messages", MESSAGE);
    expect(refused.status).toBe(400);
    expect(refused.headers.get("x-should-retry")).toBe("false");
    expect(await refused.json()).toEqual({
      type: "error",
      error: {
        type: "invalid_request_error",
        message: expect.stringMatching(/daily usage limit of \$0.00.*Raise it for today.*resets/),
      },
    });
    const openai = await post(rig, "/openai/v1/responses", { model: "gpt-5.5", input: "x" });
    expect(await openai.json()).toMatchObject({ error: { code: "moltworker_cap_reached" } });
    expect(rig.anthropic.requests).toEqual([]);

    expect((await api(rig, "POST", "/api/spend/raise", { usd: 1 })).status).toBe(200);
    expect((await post(rig, "/anthropic/v1/messages", MESSAGE)).status).toBe(200);
    const { meters } = await spendOverviewOf(rig);
    expect(meters.map(({ period, cap, raised }) => [period, cap, raised])).toEqual([
      ["day", 1.001, 1],
      ["month", 6, 1],
    ]);
    await api(rig, "PUT", "/api/spend/settings", { caps: {} });
    expect((await spendOverviewOf(rig)).meters).toEqual([]);
  });

  it("tells a webhook at 50, 80 and 100 per cent, once each", async () => {
    rig = await startAiRig();
    await api(rig, "PUT", "/api/spend/settings", { webhookUrl: `${receiver.url}/hook/secret` });
    await (await post(rig, "/anthropic/v1/messages", MESSAGE)).text();
    const [call] = await settled(rig, 1);
    const usd = call?.usd ?? 0;
    for (const [cap, told] of [
      [usd / 0.6, [50]],
      [usd / 0.7, [50]],
      [usd / 0.9, [50, 80]],
      [usd / 1.1, [50, 80, 100]],
    ] as const) {
      await api(rig, "PUT", "/api/spend/settings", { caps: { dayUsd: cap } });
      await eventually(() => receiver.bodies.length >= told.length);
      expect(receiver.bodies.map(({ percent }) => percent)).toEqual(told);
    }
    await eventually(async () => (await spendOverviewOf(rig)).alerts[0]?.delivered === true);
    const overview = await spendOverviewOf(rig);
    expect(overview.settings.webhookHost).toBe(new URL(receiver.url).host);
    expect(JSON.stringify(overview)).not.toContain("hook/secret");
    expect(overview.alerts.map(({ percent }) => percent)).toEqual([100, 80, 50]);
  });
});
