import { describe, expect, it } from "vitest";
import { telegramAccess } from "./access.ts";
import { placeholderToken, type TelegramSettings } from "./settings.ts";

const settings: TelegramSettings = {
  token: "123456:AAsecret-of-the-bot-0123456789abcdef",
  policy: "pairing",
  allowFrom: [],
  apiUrl: "https://api.telegram.org",
};
const placeholder = placeholderToken(settings);
const access = telegramAccess(settings);

async function ask(path: string, init: RequestInit = {}, answer = new Response("{}")) {
  const reached: Request[] = [];
  const reply = await access.answer(
    new Request(`https://api.telegram.org${path}`, init),
    async (input) => {
      reached.push(new Request(input));
      return answer;
    },
  );
  return { reply, reached };
}

describe("a call with the placeholder", () => {
  it.each([
    [`/bot${placeholder}/sendMessage`, `/bot${settings.token}/sendMessage`],
    [`/bot${placeholder}/test/getMe`, `/bot${settings.token}/test/getMe`],
    [`/file/bot${placeholder}/photos/file_1.jpg`, `/file/bot${settings.token}/photos/file_1.jpg`],
  ])("%s gets the token in exactly that place", async (path, real) => {
    const { reached } = await ask(path);
    expect(reached.map(({ url }) => new URL(url).pathname)).toEqual([real]);
  });

  it("never gets it in a query, a body or a header", async () => {
    const { reached } = await ask(`/bot${placeholder}/sendMessage?x=${placeholder}`, {
      method: "POST",
      headers: { "x-note": placeholder, authorization: `Bearer ${placeholder}` },
      body: JSON.stringify({ chat_id: 1, text: placeholder }),
    });
    const [request] = reached;
    expect(new URL(request?.url ?? "").search).not.toContain(settings.token);
    expect(JSON.stringify([...(request?.headers ?? [])])).not.toContain(settings.token);
    expect(await request?.text()).toBe(JSON.stringify({ chat_id: 1, text: placeholder }));
  });

  it("does not get an answer that shows the token", async () => {
    const { reply } = await ask(
      `/bot${placeholder}/getMe`,
      {},
      new Response(`{"result":"https://x/bot${settings.token}/y"}`),
    );
    await expect(reply.text()).rejects.toMatchObject({ code: "secret-in-answer" });
  });
});

describe("what the Worker keeps to itself", () => {
  it.each([
    ["setWebhook", 200],
    ["SETWEBHOOK", 200],
    ["deleteWebhook", 200],
    ["getWebhookInfo", 200],
    ["test/setWebhook", 200],
    ["logOut", 403],
    ["close", 403],
    ["getUpdates", 403],
    ["getManagedBotToken", 403],
    ["replaceManagedBotToken", 403],
  ])("%s is answered with %i and never reaches Telegram", async (method, status) => {
    const { reply, reached } = await ask(`/bot${placeholder}/${method}`, {
      method: "POST",
      body: "{}",
    });
    expect(reply.status).toBe(status);
    expect(reached).toEqual([]);
  });
});

describe("any other path", () => {
  it.each([
    "/",
    "/bot/getMe",
    "/bot123456:guess/getMe",
    `/bot${settings.token}/getMe`,
    `/bot${placeholder}x/getMe`,
    `/x/bot${placeholder}/getMe`,
    `/bot${placeholder}/getMe/more`,
    `/bot${placeholder}/get%4De`,
    `/bot${placeholder}/`,
    `/bot${placeholder.replace(":", "%3A")}/getMe`,
    `/file/bot${placeholder}/a/../../../bot${placeholder}/logOut`,
    `/file/bot${placeholder}/..`,
    `/file/bot${placeholder}//x`,
  ])("%s is unauthorised or unknown and goes nowhere", async (path) => {
    const { reply, reached } = await ask(path);
    expect([401, 403]).toContain(reply.status);
    expect(reached).toEqual([]);
  });
});

it("says which calls write to a chat", () => {
  const writes = (path: string) =>
    access.writes?.(new Request(`https://api.telegram.org/bot${placeholder}/${path}`));
  expect(writes("sendMessage")).toBe(true);
  expect(writes("sendPhoto")).toBe(true);
  expect(writes("sendChatAction")).toBe(false);
  expect(writes("getMe")).toBe(false);
});
