/**
 * The owner on Telegram with the real agent: one conversation with the web chat, groups, a report from
 * the browser, reminders that find the agent asleep.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { html, startSite, type Site } from "../support/browser-site.ts";
import { startTelegramSystem, type TelegramSystem } from "../support/telegram-system.ts";

const olga = { id: 55, first_name: "Olga", username: "olga" };
const mallory = { id: 66, first_name: "Mallory" };
const GROUP = -1_001_234_567;
const REMINDERS = ["buy pears", "water the quince"];
let site: Site;
let running: TelegramSystem;

beforeAll(async () => {
  site = await startSite({
    "/news": (_request, response) =>
      html(response, "<title>News</title><h1>Top story</h1><p>Quinces are in season."),
  });
  running = await startTelegramSystem({
    CHANNEL_OWNERS: `telegram:${olga.id}`,
    BROWSER_PRIVATE: `127.0.0.1:${site.port}`,
  });
  await running.system.reach("ready");
});
afterAll(async () => {
  await running?.close();
  await site?.close();
});

const said = (chat: number, part: string, deadlineMs = 90_000) =>
  running.telegram.until(
    `“${part}”`,
    () => running.telegram.texts(chat).find((text) => text.includes(part)),
    deadlineMs,
  );

test("what the owner says on Telegram and in the web chat is one conversation", async () => {
  const { telegram } = running;
  telegram.write(olga, "the tree is a sorb");
  await said(olga.id, "You said: the tree is a sorb");
  const web = await running.webChat();
  expect(await web.chat("history")).toContain("the tree is a sorb");
  await web.chat("the bush is a medlar");
  web.close();
  telegram.write(olga, "history");
  expect(await said(olga.id, "Before this you said")).toContain("the bush is a medlar");
});

test("a stranger who is let in and asks for the history gets none of the owner's", async () => {
  const { system, telegram } = running;
  telegram.write(mallory, "history");
  await said(mallory.id, "Pairing code");
  const { pairing } = await running.channels();
  const requests = pairing.known ? pairing.requests : [];
  const request = requests.find(({ senderId }) => senderId === String(mallory.id));
  expect(request).toBeDefined();
  const body = { channel: "telegram", requestId: request?.requestId };
  await system.admin("/api/channels/approve", { body });
  telegram.write(mallory, "history");
  await said(mallory.id, "first thing you said");
  expect(telegram.texts(mallory.id).join("\n")).not.toMatch(/sorb|medlar/);
});

test("a mention in a group is answered there, once; what was not meant for the bot only waits", async () => {
  const { telegram } = running;
  const group = { id: GROUP, type: "supergroup", title: "Friends" };
  const write = (text: string, id: number) => {
    const at = text.indexOf("@emulated_bot");
    telegram.send({
      message: {
        message_id: id,
        date: Math.floor(Date.now() / 1000),
        chat: group,
        from: { ...olga, is_bot: false },
        text,
        ...(at === -1
          ? {}
          : { entities: [{ type: "mention", offset: at, length: "@emulated_bot".length }] }),
      },
    });
  };
  write("only among us", 4_001);
  write("@emulated_bot what of the group?", 4_002);
  // What went before comes along as context, and is no turn of its own.
  expect(await said(GROUP, "what of the group?")).toContain("You said");
  expect(telegram.texts(GROUP).filter((text) => text.includes("You said"))).toHaveLength(1);
});

test("a report is asked for, the agent reads the page in its browser, and the report arrives", async () => {
  const { telegram } = running;
  telegram.write(
    olga,
    [
      searched("browser", { action: "open", url: `${site.origin}/news` }),
      searched("browser", { action: "snapshot" }),
    ].join("\n"),
  );
  await said(olga.id, "Quinces are in season", 120_000);
  expect(site.asked).toContain("/news");
});

test("reminders that come due while it sleeps wake it and reach the chat once each", async () => {
  const { system, telegram } = running;
  await system.admin("/api/settings/sleep", { method: "PUT", body: { sleepAfter: 3_600_000 } });
  const due = Date.now() + 120_000;
  telegram.write(
    olga,
    REMINDERS.map((text, n) => searched("automations", job(text, due + n * 2_000))).join("\n"),
  );
  // The answer names the second job; it may take several messages.
  await said(olga.id, "water the quince", 120_000);
  const stopped = await system.stopAgent();
  for (const text of REMINDERS) await said(olga.id, `] ${text}`, 300_000);
  expect((await system.status()).startGeneration).toBeGreaterThan(stopped);
  const late = Date.now() - due;
  await system.reach("ready");
  process.stdout.write(`two reminders while asleep: both there ${late} ms after they were due\n`);
}, 600_000);

test("switched from never to a minute it goes to sleep again, whatever a scanner asks for", async () => {
  const { system, telegram } = running;
  for (const sleepAfter of ["never", 60_000]) {
    await system.admin("/api/settings/sleep", { method: "PUT", body: { sleepAfter } });
  }
  const scan = ["/healthz", "/favicon.ico", "/wp-login.php", "/api/status", "/ws", "/?token=guess"];
  const over = new AbortController();
  let rounds = 0;
  const scanner = (async () => {
    for (; !over.signal.aborted; rounds += 1) {
      for (const path of scan) {
        await fetch(new URL(path, system.url), { redirect: "manual" }).catch(() => undefined);
      }
      await fetch(new URL("/webhooks/telegram/main", system.url), {
        method: "POST",
        body: '{"update_id":1}',
      }).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  try {
    const asleep = await system.reach("stopped", 180_000);
    expect(asleep.lastError).toBeUndefined();
    const before = rounds;
    await expect.poll(() => rounds, { timeout: 60_000 }).toBeGreaterThan(before + 20);
    expect((await system.status()).phase).toBe("stopped");
  } finally {
    over.abort();
    await scanner;
  }
  const told = telegram.texts(olga.id);
  for (const text of REMINDERS) {
    expect(told.filter((one) => one.includes(`] ${text}`))).toHaveLength(1);
  }
});

/** The gateway offers these tools behind its search. */
function searched(id: string, args: object): string {
  return `tool: tool_call ${JSON.stringify({ id, args })}`;
}

/** A turn of its own at `at`, whose answer goes to the owner's chat. */
function job(text: string, at: number): object {
  return {
    action: "add",
    job: {
      name: text,
      schedule: { kind: "at", at: new Date(at).toISOString() },
      sessionTarget: "isolated",
      payload: { kind: "agentTurn", message: text },
      delivery: { mode: "announce", channel: "telegram", to: String(olga.id) },
    },
  };
}
