/**
 * A hundred messages through Telegram's webhook while everything around the inbox is killed. The
 * gateway's place is taken by a stand-in that keeps what it was given as the real one does; a
 * thousand with the real one: `npm run soak -- messages`.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTelegram, type TelegramEmulator } from "../emulators/telegram.ts";
import { startAgentRig, type AgentRig } from "../support/agent-rig.ts";

const MESSAGES = 50;
const BETWEEN_KILLS = 10;
const alice = { id: 77, first_name: "Alice" };
let telegram: TelegramEmulator;
let rig: AgentRig;

beforeAll(async () => {
  telegram = await startTelegram({
    route: (url) => url.replace("https://agent.example", rig.url.origin),
  });
  rig = await startAgentRig(
    {
      TELEGRAM_BOT_TOKEN: telegram.token,
      TELEGRAM_API_URL: telegram.url,
      TELEGRAM_DM_ALLOW_FROM: String(alice.id),
      WORKER_URL: "https://agent.example",
    },
    telegram.url,
  );
  await rig.scenario({ keepMs: 300 });
  await rig.status();
  await telegram.until("the webhook", () => telegram.webhook);
});
afterAll(async () => {
  await rig?.close();
  await telegram?.close();
});

type Victim = "workerd" | "durable object" | "telegram" | "sandbox";

/** False when it was just down. */
async function kill(victim: Victim): Promise<boolean> {
  switch (victim) {
    case "workerd":
      // Miniflare gives up when it dies while it is being started again.
      await rig.up();
      return rig.killWorkerd() > 0;
    case "durable object":
      // The call never comes back, because what answers it is gone.
      await rig.call("evict").catch(() => undefined);
      return true;
    case "telegram":
      await telegram.fail(200);
      return true;
    case "sandbox":
      return rig.kill().then(
        () => true,
        () => false,
      );
  }
}

/** Sends messages and kills at random in between; answers the ids of what was sent. */
async function send(victims: readonly Victim[]): Promise<string[]> {
  const ids: string[] = [];
  let next = 1;
  let kills = 0;
  for (let n = 0; n < MESSAGES; n += 1) {
    ids.push(String(telegram.write(alice, `message ${n}`)));
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
    if (n < next) continue;
    next = n + 1 + Math.ceil(Math.random() * BETWEEN_KILLS);
    const victim = victims[Math.floor(Math.random() * victims.length)] ?? "workerd";
    if (await kill(victim)) kills += 1;
  }
  expect(kills).toBeGreaterThan(0);
  return ids;
}

async function noted(word: "deliver" | "kept"): Promise<string[]> {
  const lines = await rig.log();
  return lines.flatMap((line) =>
    line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : [],
  );
}

async function allKept(ids: readonly string[]): Promise<void> {
  const end = Date.now() + 180_000;
  for (;;) {
    const kept = new Set(await noted("kept"));
    const missing = ids.filter((id) => !kept.has(id));
    if (missing.length === 0) return;
    if (Date.now() > end) {
      const told = JSON.stringify([await rig.status(), await rig.call("channelsNow")]);
      throw new Error(`${missing.length} of ${ids.length} are not kept: ${told.slice(0, 6_000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

const doubled = (delivered: readonly string[], ids: readonly string[]) =>
  ids.filter((id) => delivered.filter((one) => one === id).length > 1);

it("kills of workerd, the Durable Object and Telegram lose nothing and double nothing", async () => {
  const ids = await send(["workerd", "durable object", "telegram"]);
  await allKept(ids);
  expect(doubled(await noted("deliver"), ids)).toEqual([]);
}, 240_000);

it("kills of the sandbox as well lose nothing; only what no backup held yet comes twice", async () => {
  const ids = await send(["sandbox", "workerd", "sandbox", "durable object"]);
  await allKept(ids);
  const twice = doubled(await noted("deliver"), ids);
  const lines = await rig.log();
  for (const id of twice) {
    const [first, second] = lines.flatMap((line, at) => (line === `deliver ${id}` ? [at] : []));
    const between = lines.slice(first, second);
    expect(between).toContain("start");
    expect(between).not.toContain(`kept ${id}`);
  }
  process.stdout.write(`${MESSAGES} messages with sandboxes killed: ${twice.length} came twice\n`);
}, 240_000);
