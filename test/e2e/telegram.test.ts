/**
 * Telegram with the real agent, as on one's own machine: no public address, so the Durable Object
 * asks Telegram itself.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { channelsReply, type ChannelsView } from "../../src/protocol/admin-channels.ts";
import { startTelegram, type TelegramEmulator } from "../emulators/telegram.ts";
import { killDescendants } from "../support/process-tree.ts";
import {
  makeStateDir,
  removeStateDir,
  startSystem,
  type RunningSystem,
} from "../support/running-system.ts";

const alice = { id: 77, first_name: "Alice", username: "alice" };
const mallory = { id: 66, first_name: "Mallory" };
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
let stateDir: string;
let telegram: TelegramEmulator;
let system: RunningSystem;

beforeAll(async () => {
  stateDir = await makeStateDir();
  telegram = await startTelegram();
  system = await startSystem({
    stateDir,
    env: { TELEGRAM_BOT_TOKEN: telegram.token, TELEGRAM_API_URL: telegram.url },
  });
  await system.reach("ready");
});

afterAll(async () => {
  await system?.stop();
  await telegram?.close();
  if (stateDir !== undefined) await removeStateDir(stateDir);
});

const channels = async (): Promise<ChannelsView> =>
  channelsReply.parse(await system.admin("/api/channels"));

async function requestOf(senderId: string) {
  const { pairing } = await channels();
  const request = pairing.known
    ? pairing.requests.find((one) => one.senderId === senderId)
    : undefined;
  if (request === undefined) throw new Error(`no request: ${JSON.stringify(pairing)}`);
  return request;
}

const by = (person: typeof alice, id: number) => ({
  message_id: id,
  date: Math.floor(Date.now() / 1000),
  chat: { ...person, type: "private" },
  from: { ...person, is_bot: false },
});

const fileOf = (content: Uint8Array, name: string) => {
  const id = telegram.upload(content, name);
  return { file_id: id, file_unique_id: id, file_size: content.length };
};

const said = (chat: number, part: string) => () =>
  telegram.texts(chat).find((text) => text.includes(part));

test("a first message asks for pairing, an approval opens the conversation, a question is answered", async () => {
  telegram.write(alice, "hello?");
  await telegram.until("the pairing code", said(77, "Pairing code"), 60_000);
  const { requestId, channel, name } = await requestOf("77");
  expect(name).toContain("Alice");
  await system.admin("/api/channels/approve", { body: { channel, requestId } });
  await telegram.until("the news of the approval", said(77, "approved"), 60_000);
  telegram.write(alice, "the word is quince");
  await telegram.until("the answer", said(77, "You said: the word is quince"), 60_000);
  const after = await channels();
  expect(after.senders).toMatchObject([{ channel: "telegram", id: "77", barred: false }]);
  expect(after.channels).toMatchObject([
    { id: "telegram", connection: "connected", way: "poll", account: "@emulated_bot", dead: 0 },
  ]);
  await expect.poll(async () => (await channels()).letters, { timeout: 30_000 }).toEqual([]);
});

test("a photo arrives at the model, and one that the agent made comes back", async () => {
  const photo = [{ ...fileOf(PNG, "cat.png"), width: 1, height: 1 }];
  telegram.send({ message: { ...by(alice, 900), caption: "look at this", photo } });
  await telegram.until("the answer to the photo", said(77, "media attached"), 60_000);
  const make = `tool: exec {"command": "mkdir -p ~/.openclaw/workspace && echo ${PNG.toString("base64")} | base64 -d > ~/.openclaw/workspace/cat.png"}`;
  const send = "here it is\nMEDIA:/home/agent/.openclaw/workspace/cat.png";
  telegram.write(alice, make);
  await telegram.until("the tool", said(77, "The tool answered"), 60_000);
  telegram.write(alice, send);
  const sent = await telegram.until(
    "the photo",
    () => telegram.calls.find(({ method }) => method === "sendPhoto" || method === "sendDocument"),
    60_000,
  );
  expect(Buffer.from(Object.values(sent.files)[0] ?? []).equals(PNG)).toBe(true);
});

test("a voice message, a document, an edited message and a pressed button reach the agent", async () => {
  const answer = (part: string) => telegram.until(`“${part}”`, said(77, part), 90_000);
  const sound = Buffer.from(`OggS${"spoken words ".repeat(200)}`);
  const voice = { ...fileOf(sound, "note.oga"), duration: 1, mime_type: "audio/ogg" };
  telegram.send({ message: { ...by(alice, 910), voice } });
  await answer("Audio attachment");

  const list = fileOf(Buffer.from("the fruit is a medlar\n"), "fruit.txt");
  const document = { ...list, file_name: "fruit.txt", mime_type: "text/plain" };
  telegram.send({ message: { ...by(alice, 911), caption: "read this", document } });
  expect(await answer("read this")).toContain("the fruit is a medlar");

  telegram.send({ message: { ...by(alice, 912), text: "meet me at noon" } });
  await answer("You said: meet me at noon");
  // The gateway notes an edited message for whoever refers to it; it is no turn.
  const edited = { ...by(alice, 912), edit_date: by(alice, 0).date, text: "meet me at dusk" };
  telegram.send({ edited_message: edited });
  const look = `for it in 'spoken w[o]rds' 'meet me at d[u]sk'; do grep -rqaE "$it" ~/.openclaw && echo "has $it"; done`;
  telegram.write(alice, `tool: exec ${JSON.stringify({ command: look })}`);
  const found = await answer("The tool answered: has");
  expect(found).toContain("has spoken w[o]rds");
  expect(found).toContain("has meet me at d[u]sk");

  const bot = { id: 424_242, is_bot: true, first_name: "Emulated", username: "emulated_bot" };
  const pressed = { id: "4242", from: by(alice, 0).from, chat_instance: "1", data: "the medlar" };
  const message = { ...by(alice, 3), from: bot, text: "Which one?" };
  telegram.send({ callback_query: { ...pressed, message } });
  await answer("You said: callback_data: the medlar");
  expect(telegram.calls.some(({ method }) => method === "answerCallbackQuery")).toBe(true);
  expect(telegram.texts(77).join("\n")).not.toContain("You said: meet me at dusk");
});

test("a stranger who asks for the owner's history gets none of it", async () => {
  telegram.write(mallory, "history");
  await telegram.until("the pairing code", said(66, "Pairing code"));
  const { requestId, channel } = await requestOf("66");
  await system.admin("/api/channels/approve", { body: { channel, requestId } });
  telegram.write(mallory, "history");
  await telegram.until("an answer", said(66, "first thing you said"), 60_000);
  expect(telegram.texts(66).join("\n")).not.toContain("quince");
});

test("a message wakes an agent that sleeps: typing at once, then the answer", async () => {
  await system.admin("/api/agent/stop", { body: {} });
  await system.reach("stopped");
  const before = telegram.calls.length;
  const sentAt = Date.now();
  telegram.write(alice, "are you awake?");
  const sign = await telegram.until(
    "a sign of life",
    () => telegram.calls.slice(before).find(({ method }) => method === "sendChatAction"),
    60_000,
  );
  await telegram.until("the answer", said(77, "You said: are you awake?"), 90_000);
  const answered = Date.now() - sentAt;
  expect(sign.at - sentAt).toBeLessThan(answered);
  process.stdout.write(`asleep: sign of life ${sign.at - sentAt} ms, answer ${answered} ms\n`);
  telegram.write(alice, "history");
  const history = await telegram.until("the history", said(77, "Before this you said"), 60_000);
  expect(history).toContain("the word is quince");
});

test("no part of the token is in the sandbox", async () => {
  const { texts } = telegram;
  telegram.write(
    alice,
    `tool: exec {"command": "env | grep -cE A{2}emulated; grep -rlaE A{2}emulated ~ /run /tmp 2>/dev/null; echo search'e'd"}`,
  );
  const answer = await telegram.until("the output", said(77, "searched"), 60_000);
  expect(answer).not.toContain("openclaw");
  expect(texts(77).join("\n")).not.toContain(telegram.token);
});

test("an answer that Telegram has taken when workerd dies before it hears so is there once, and the turn ran once", async () => {
  telegram.slow = { method: "sendMessage", ms: 3_000 };
  telegram.write(alice, "the word is rowan");
  const answer = "You said: the word is rowan";
  await telegram.until("the answer", said(77, answer), 60_000);
  const workerd = ({ command }: { command: string }) => /workerd.* serve/.test(command);
  expect(killDescendants(system.process.pid ?? 0, workerd)).toBe(1);
  telegram.slow = undefined;
  telegram.write(alice, "the word is sloe");
  await telegram.until("the next answer", said(77, "You said: the word is sloe"), 120_000);
  expect(telegram.texts(77).filter((text) => text.includes(answer))).toHaveLength(1);
  telegram.write(alice, "history");
  const history = await telegram.until("the history", () =>
    telegram
      .texts(77)
      .find((text) => text.includes("Before this you said") && text.includes("sloe")),
  );
  expect(history.split("the word is rowan")).toHaveLength(2);
});

// The gateway marks a message as done up to two seconds before it stands in the conversation.
test.each([
  ["gateway", "bullace"],
  ["sandbox", "damson"],
])(
  "a message that a %s took and is killed before it has written down is answered all the same",
  async (killed, word) => {
    const agentFolder = "sandbox/main/home/.openclaw/agents/main/agent";
    const conversations = path.join(stateDir, agentFolder, "openclaw-agent.sqlite");
    const earlier = path.join(stateDir, "earlier.sqlite");
    // Of a conversation at rest: one that is interrupted is another matter.
    await sleep(3_000);
    const open = new DatabaseSync(conversations, { readOnly: true });
    await backup(open, earlier);
    open.close();
    const answer = `the word is ${word}`;
    telegram.write(alice, answer);
    await telegram.until("the answer", said(77, answer), 60_000);

    const root = system.process.pid ?? 0;
    const supervisor = ({ command }: { command: string }) => command.includes("supervisor.mjs");
    killDescendants(root, supervisor, "SIGSTOP");
    try {
      const gateway = ({ command }: { command: string }) => command.startsWith("openclaw-gateway");
      expect(killDescendants(root, gateway)).toBe(1);
      // Into the same file, which is the agent's.
      writeFileSync(conversations, readFileSync(earlier));
      for (const suffix of ["-wal", "-shm"]) rmSync(`${conversations}${suffix}`, { force: true });
      expect(killed === "sandbox" ? killDescendants(root, supervisor) : 1).toBeGreaterThan(0);
    } finally {
      killDescendants(root, supervisor, "SIGCONT");
    }
    const answers = () => telegram.texts(77).filter((text) => text.includes(answer));
    await expect.poll(() => answers().length, { timeout: 120_000 }).toBe(2);
    telegram.write(alice, "history");
    const words = () =>
      telegram
        .texts(77)
        .find((text) => text.includes("Before this you said") && text.includes(word));
    const history = await telegram.until("the history", words, 60_000);
    expect(history.split(word)).toHaveLength(2);
  },
  240_000,
);
