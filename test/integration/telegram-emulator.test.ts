/** The emulator against a client that everybody uses, so that what passes here passes at Telegram. */
import { Bot, webhookCallback, InputFile } from "grammy";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BOT_TOKEN, startTelegram, type TelegramEmulator } from "../emulators/telegram.ts";

const alice = { id: 77, first_name: "Alice" };
let telegram: TelegramEmulator;
const routes = new Map<string, string>();

beforeAll(async () => {
  telegram = await startTelegram({ route: (url) => routes.get(url) ?? url });
});
afterAll(() => telegram?.close());

const bot = () => new Bot(BOT_TOKEN, { client: { apiRoot: telegram.url } });

test("grammy polls, answers, edits, and fetches a file", async () => {
  const polled = bot();
  polled.on("message:text", async (context) => {
    const answer = await context.reply(`you said ${context.message.text}`);
    await context.api.editMessageText(context.chat.id, answer.message_id, "edited");
  });
  polled.on("message:photo", async (context) => {
    const file = await context.getFile();
    const content = await fetch(`${telegram.url}/file/bot${BOT_TOKEN}/${file.file_path}`);
    await context.replyWithPhoto(new InputFile(await content.bytes(), "back.png"));
  });
  void polled.start();
  telegram.write(alice, "hello");
  await telegram.until("the edit", () => telegram.texts(77).find((text) => text === "edited"));
  const bytes = Uint8Array.from([1, 2, 3, 255]);
  const id = telegram.upload(bytes, "cat.png");
  telegram.send({
    message: {
      message_id: 5,
      date: 1,
      chat: { id: 77, type: "private", first_name: "Alice" },
      from: { ...alice, is_bot: false },
      photo: [{ file_id: id, file_unique_id: id, width: 1, height: 1 }],
    },
  });
  const photo = await telegram.until("the photo", () =>
    telegram.calls.find(({ method }) => method === "sendPhoto"),
  );
  expect(Object.values(photo.files)).toEqual([bytes]);
  await polled.stop();
  expect(telegram.waiting).toBe(0);
});

test("an update comes to grammy's webhook again until it was taken, in order, with the secret", async () => {
  const hooked = bot();
  const seen: string[] = [];
  let refusals = 2;
  hooked.on("message:text", (context) => {
    if (refusals > 0) {
      refusals -= 1;
      throw new Error("not now");
    }
    seen.push(context.message.text);
  });
  const handle = webhookCallback(hooked, "http", { secretToken: "s3cret" });
  const server = http.createServer((request, response) => {
    handle(request, response).catch(() => response.writeHead(500).end());
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  routes.set("https://bot.example/hook", `http://127.0.0.1:${port}/`);
  try {
    await expect(hooked.api.setWebhook("http://bot.example/hook")).rejects.toThrow(/HTTPS/);
    await hooked.api.setWebhook("https://bot.example/hook", { secret_token: "s3cret" });
    await expect(hooked.api.getUpdates()).rejects.toThrow(/409/);
    telegram.write(alice, "one");
    telegram.write(alice, "two");
    await telegram.until("both", () =>
      telegram.attempts.length === 4 && telegram.waiting === 0 ? seen : undefined,
    );
    expect(seen).toEqual(["one", "two"]);
    expect(telegram.attempts.map(({ status }) => status)).toEqual([500, 500, 200, 200]);
    expect(await hooked.api.getWebhookInfo()).toMatchObject({ pending_update_count: 0 });
  } finally {
    await hooked.api.deleteWebhook();
    server.close();
  }
});

test("a wrong token is unauthorised", async () => {
  const stranger = new Bot("1:wrong", { client: { apiRoot: telegram.url } });
  await expect(stranger.api.getMe()).rejects.toThrow(/401/);
});
