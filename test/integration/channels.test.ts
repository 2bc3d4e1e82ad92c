/** The inbox with a stand-in for the gateway: what is stored, woken for, delivered, kept and given up. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { channelsReply, type ChannelsView } from "../../src/protocol/admin-channels.ts";
import { webhookSecret } from "../../src/worker/channels/telegram/webhook.ts";
import { startAgentRig, type AgentRig } from "../support/agent-rig.ts";

const TOKEN = "424242:AAplanted-bot-token-0123456789abcdef";
const OWNER = 77;
let rig: AgentRig;
let secret: string;
let nextUpdate = 100;

beforeAll(async () => {
  rig = await startAgentRig({
    TELEGRAM_BOT_TOKEN: TOKEN,
    TELEGRAM_DM_ALLOW_FROM: String(OWNER),
    SANDBOX_SLEEP_AFTER: "2s",
    CHANNEL_STRANGER_WAKES: "1",
  });
  secret = await webhookSecret(TOKEN, "main");
});
afterEach(async () => {
  for (const { n } of (await channels()).letters) await rig.call("dropLetter", n);
  await rig.reset();
});
afterAll(() => rig.close());

const channels = async (): Promise<ChannelsView> =>
  channelsReply.parse(await rig.call("channelsNow"));
const delivered = async (): Promise<string[]> =>
  (await rig.log()).flatMap((line) => /^deliver (.*)$/.exec(line)?.[1] ?? []);
const starts = async (): Promise<number> =>
  (await rig.log()).filter((line) => line === "start").length;

function update(from = OWNER, text = "hello", id = (nextUpdate += 1)) {
  const person = { id: from, first_name: "Somebody" };
  const message = {
    message_id: id,
    date: 1,
    text,
    from: person,
    chat: { ...person, type: "private" },
  };
  return { update_id: id, message };
}

async function post(body: unknown, headers: Record<string, string> = {}): Promise<number> {
  const answer = await fetch(new URL("/webhooks/telegram/main", rig.url), {
    method: "POST",
    headers: { "x-telegram-bot-api-secret-token": secret, ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  await answer.arrayBuffer();
  return answer.status;
}

async function empty(): Promise<void> {
  await expect.poll(async () => (await channels()).letters, { timeout: 60_000 }).toEqual([]);
}

describe("a message", () => {
  it("wakes an agent that sleeps, is delivered once in order, and is forgotten when it is kept", async () => {
    const sent = [update(), update(), update()];
    for (const one of sent) expect(await post(one)).toBe(200);
    expect(await post(sent[0])).toBe(200);
    await empty();
    expect(await delivered()).toEqual(sent.map((one) => String(one.update_id)));
    expect(await starts()).toBe(1);
    await rig.until(({ phase }) => phase === "stopped");
  });

  it("stays in the inbox while no backup holds it, and comes again after the sandbox died", async () => {
    await rig.scenario({ keeps: false });
    const one = update();
    await post(one);
    await expect.poll(delivered, { timeout: 20_000 }).toEqual([String(one.update_id)]);
    await expect
      .poll(async () => (await channels()).letters[0]?.state, { timeout: 20_000 })
      .toBe("given");
    await rig.scenario({});
    await rig.kill();
    await empty();
    expect(await delivered()).toEqual([String(one.update_id), String(one.update_id)]);
    // The next sandbox looks for it in the conversations: the gateway may have it as done and nowhere else.
    expect(await rig.log()).toContain(`handed over before ${JSON.stringify(one)}`);
  });

  it("that a lost sandbox had taken keeps the agent trying while its starts fail", async () => {
    await rig.scenario({ keeps: false });
    await post(update());
    await expect
      .poll(async () => (await channels()).letters[0]?.state, { timeout: 20_000 })
      .toBe("given");
    await rig.scenario({ crashAtStart: 7 });
    await rig.kill();
    await rig.until(
      ({ phase, lastError }) => phase === "failed" && lastError?.includes("7") === true,
    );
    expect((await channels()).letters[0]?.state).toBe("waiting");
    await rig.scenario({});
    await empty();
  });

  it("that the gateway refuses becomes a dead letter with an alert, and can be tried again", async () => {
    await rig.scenario({ listener: "refuses" });
    await post(update());
    await expect
      .poll(async () => (await channels()).letters[0]?.state, { timeout: 20_000 })
      .toBe("dead");
    const [letter] = (await channels()).letters;
    expect(letter).toMatchObject({
      tries: 3,
      lastError: expect.stringContaining("no such update"),
    });
    const { events } = await rig.status();
    expect(events?.some(({ kind }) => kind === "channel")).toBe(true);
    await rig.call("stop");
    await rig.scenario({});
    await rig.call("retryLetter", letter?.n);
    await empty();
  });

  it("waits behind a listener that is not there, without being lost", async () => {
    await rig.scenario({ listener: "is not there" });
    await post(update());
    await expect
      .poll(async () => (await channels()).letters[0]?.tries, { timeout: 20_000 })
      .toBeGreaterThan(1);
    expect((await channels()).letters[0]).toMatchObject({ state: "waiting" });
  });

  it("that was only edited waits for the next one, in its order, and wakes nobody", async () => {
    const { update_id, message } = update();
    const edited = { update_id, edited_message: message };
    expect(await post(edited)).toBe(200);
    expect((await channels()).letters).toMatchObject([{ state: "waiting" }]);
    expect((await rig.status()).phase).toBe("stopped");
    const one = update();
    await post(one);
    await empty();
    expect(await delivered()).toEqual([String(update_id), String(one.update_id)]);
  });

  it("is not blamed for a gateway that is started again, and is delivered when it is up", async () => {
    await rig.scenario({ gatewayAwayMs: 4_000 });
    const one = update();
    await post(one);
    await rig.until(({ supervisor }) => supervisor?.gateway.state === "backoff");
    await expect
      .poll(async () => (await channels()).letters[0]?.state, { timeout: 20_000 })
      .toBe("waiting");
    const tries = async () => (await channels()).letters.map((letter) => letter.tries);
    expect(await tries()).toEqual([0]);
    await rig.until(({ supervisor }) => supervisor?.gateway.state === "ready");
    await empty();
    expect(await delivered()).toEqual([String(one.update_id)]);
  });
});

describe("somebody who was not let in", () => {
  it("wakes the agent as often as is allowed in a day and no more", async () => {
    await post(update(666));
    await empty();
    await rig.until(({ phase }) => phase === "stopped");
    const before = await starts();
    for (let n = 0; n < 10; n += 1) expect(await post(update(666))).toBe(200);
    expect((await channels()).letters).toEqual([]);
    expect((await rig.status()).phase).toBe("stopped");
    expect(await starts()).toBe(before);
    await expect.poll(() => rig.fetched.some((url) => url.endsWith("/sendMessage"))).toBe(true);
  });
});

describe("what nobody in particular does", () => {
  it("takes up a part of the inbox, is told once, and leaves the owner's message alone", async () => {
    for (let n = 0; n < 110; n += 1) {
      expect(await post({ update_id: (nextUpdate += 1), poll_answer: {} })).toBe(200);
    }
    expect((await channels()).letters).toHaveLength(100);
    expect((await rig.status()).phase).toBe("stopped");
    const full = "What belongs to no chat on telegram has filled its part";
    const told = ((await rig.status()).events ?? []).filter(({ text }) => text.includes(full));
    expect(told).toHaveLength(1);
    const own = update();
    expect(await post(own)).toBe(200);
    await empty();
    expect(await delivered()).toContain(String(own.update_id));
  });
});

describe("what is not Telegram's", () => {
  it.each<[string, unknown, Record<string, string>, number]>([
    ["a wrong secret", update(), { "x-telegram-bot-api-secret-token": "x".repeat(43) }, 401],
    ["no secret", update(), { "x-telegram-bot-api-secret-token": "" }, 401],
    ["malformed JSON", "{", {}, 400],
    ["no update", { hello: 1 }, {}, 400],
    ["an id that is no number", { update_id: "1" }, {}, 400],
    ["an update of an unknown kind", { update_id: 1, shipping_query: {} }, {}, 200],
    ["a huge body", `"${"x".repeat(600_000)}"`, {}, 413],
  ])("%s is refused; nothing is stored and nothing woken", async (_name, body, headers, status) => {
    expect(await post(body, headers)).toBe(status);
    expect((await channels()).letters).toEqual([]);
    expect((await rig.status()).phase).toBe("stopped");
  });

  it("a flood of five hundred without the secret leaves the owner's message alone", async () => {
    const flood = Array.from({ length: 500 }, () =>
      post(update(), { "x-telegram-bot-api-secret-token": "wrong" }),
    );
    const own = update();
    const taken = post(own);
    expect(new Set(await Promise.all(flood))).toEqual(new Set([401]));
    expect(await taken).toBe(200);
    await empty();
    expect(await delivered()).toEqual([String(own.update_id)]);
  });

  it("a flood of five hundred strangers leaves no row each and wakes nobody; the owner is heard", async () => {
    // The one wake of the day, so that the flood finds the agent asleep for good.
    await post(update(666));
    await empty();
    await rig.until(({ phase }) => phase === "stopped");
    const before = await starts();
    const flood = Array.from({ length: 500 }, (_, n) => post(update(10_000 + n)));
    expect(new Set(await Promise.all(flood))).toEqual(new Set([200]));
    expect((await channels()).letters).toEqual([]);
    expect(await starts()).toBe(before);
    const own = update();
    expect(await post(own)).toBe(200);
    await empty();
    expect(await delivered()).toContain(String(own.update_id));
  });
});

it("who was let in, and when a message last came, outlast the Durable Object", async () => {
  await post(update());
  await empty();
  const { lastInAt } = (await channels()).channels[0] ?? {};
  expect(lastInAt).toBeGreaterThan(0);
  await rig.call("evict").catch(() => undefined);
  await expect
    .poll(async () => (await channels().catch(() => undefined))?.channels[0]?.lastInAt, {
      timeout: 20_000,
    })
    .toBe(lastInAt);
});

it("a job that is due wakes an agent that sleeps, once, and it sleeps again", async () => {
  await rig.scenario({ nextDue: Date.now() + 3_600_000 });
  await rig.call("start");
  await rig.until(({ phase }) => phase === "ready");
  await rig.until(({ phase }) => phase === "stopped");
  const before = await starts();
  await rig.scenario({ nextDue: Date.now() + 31_000 });
  await rig.call("start");
  await rig.until(({ supervisor }) => supervisor?.nextDue !== undefined);
  // The sandbox that is woken has run the job: no other is planned.
  await rig.scenario({ nextDue: null });
  await rig.call("stop");
  await rig.until(({ phase }) => phase === "ready");
  await rig.until(({ phase }) => phase === "stopped");
  expect(await starts()).toBe(before + 2);
});

it("what came while the panic button held the agent wakes it as soon as nothing holds it any more", async () => {
  const admin = { by: "owner@example.org", from: "198.51.100.7" };
  await rig.call("security.panic", admin);
  const one = update();
  expect(await post(one)).toBe(200);
  expect(await delivered()).toEqual([]);
  await rig.call("security.panicOver", admin);
  await empty();
  expect(await delivered()).toEqual([String(one.update_id)]);
});

it("a message of a platform that is not set up any more waits, is shown, and keeps nobody awake", async () => {
  await rig.scenario({ listener: "is not there" });
  const one = update();
  await post(one);
  await rig.until(({ phase }) => phase === "ready");
  await rig.call("stop");
  await rig.scenario({});
  await rig.deploy({ TELEGRAM_BOT_TOKEN: "" });
  await rig.call("start");
  await rig.until(({ phase }) => phase === "ready");
  await rig.until(({ phase }) => phase === "stopped");
  expect(await channels()).toMatchObject({ channels: [], letters: [{ state: "waiting" }] });
  await rig.deploy({});
  await rig.status();
  await empty();
  expect(await delivered()).toEqual([String(one.update_id)]);
});

// Last, since these settings stay.
describe("somebody impatient who was not let in", () => {
  it("uses up one wake with all that they write while the agent wakes", async () => {
    await rig.deploy({ CHANNEL_STRANGER_WAKES: "3" });
    await rig.scenario({ bootMs: 1_500 });
    const impatient = Array.from({ length: 6 }, () => update(665));
    for (const one of impatient) expect(await post(one)).toBe(200);
    await empty();
    expect(await delivered()).toEqual(impatient.map((one) => String(one.update_id)));
    await rig.until(({ phase }) => phase === "stopped");
    const before = await starts();
    const again = update(665);
    await post(again);
    await empty();
    expect(await starts()).toBe(before + 1);
  });
});

describe("somebody new", () => {
  const under = async (policy: string) => {
    await rig.deploy({ TELEGRAM_DM_POLICY: policy, CHANNEL_STRANGER_WAKES: "0" });
    await rig.status();
  };

  it("wakes the agent under the policy open", async () => {
    await under("open");
    const one = update(777);
    expect(await post(one)).toBe(200);
    await empty();
    expect(await delivered()).toEqual([String(one.update_id)]);
  });

  it("does not reach it under the policy allowlist, awake or not", async () => {
    await under("allowlist");
    expect(await post(update(777))).toBe(200);
    expect((await channels()).letters).toEqual([]);
    expect((await rig.status()).phase).toBe("stopped");
    const own = update();
    await post(own);
    await rig.until(({ phase }) => phase === "ready");
    expect(await post(update(778))).toBe(200);
    await empty();
    expect(await delivered()).toEqual([String(own.update_id)]);
  });
});
