import { describe, expect, it } from "vitest";
import type { Reply } from "./call-context.ts";
import { PROVIDERS } from "./providers.ts";
import { TurnRefusals } from "./turn-refusals.ts";

const provider = PROVIDERS[0];
const BODY = '{"type":"error","error":{"type":"rate_limit_error","message":"Slow down"}}';
const said = (status: number): Reply => ({
  ok: true,
  response: new Response(BODY, {
    status,
    headers: { "retry-after": "60", "retry-after-ms": "60000", "request-id": "req_1" },
  }),
});

function refusals() {
  let now = 1_000;
  const kept = new TurnRefusals();
  return {
    later: (ms: number) => void (now += ms),
    take: (key = "a") => kept.take(key, now),
    tell: (reply: Reply, key = "a") => kept.tell(key, reply, () => now),
  };
}

async function seen(reply: Reply | undefined) {
  if (reply?.ok !== true) return reply;
  const { status, headers } = reply.response;
  return { status, headers: Object.fromEntries(headers), body: await reply.response.text() };
}

describe("a refusal of a provider's", () => {
  it.each([408, 429, 500, 503, 529])("%i keeps all but when to come again", async (status) => {
    const { tell, take } = refusals();
    const told = await seen(await tell(said(status)));
    expect(told).toMatchObject({ status, body: BODY, headers: { "request-id": "req_1" } });
    expect(JSON.stringify(told)).not.toContain("retry-after");
    expect(await seen(take())).toEqual(told);
  });

  it("is told to the repeat of that call, once and soon", async () => {
    const { tell, take, later } = refusals();
    await tell(said(429));
    expect(take("b")).toBeUndefined();
    expect(take()).toBeDefined();
    expect(take()).toBeUndefined();
    await tell(said(429));
    later(5_000);
    expect(take()).toBeUndefined();
  });

  it.each([400, 401, 404])("%i passes: OpenClaw does not repeat it", async (status) => {
    const { tell, take } = refusals();
    const reply = said(status);
    expect(await tell(reply)).toBe(reply);
    expect(take()).toBeUndefined();
  });
});

it("an answer passes, unread", async () => {
  const { tell, take } = refusals();
  const reply = said(200);
  expect(await tell(reply)).toBe(reply);
  expect(reply.ok && reply.response.bodyUsed).toBe(false);
  expect(take()).toBeUndefined();
});

it("what is told with a 5xx of our own is told again, and nothing else", async () => {
  if (provider === undefined) throw new Error("no provider");
  const { tell, take } = refusals();
  const redirected: Reply = { ok: false, failure: { reason: "redirected", provider, status: 307 } };
  await tell(redirected);
  expect(take()).toBe(redirected);
  await tell({ ok: false, failure: { reason: "no-answer-in-time", provider, ms: 1 } });
  await tell({ ok: false, failure: { reason: "cancelled" } });
  expect(take()).toBeUndefined();
});
