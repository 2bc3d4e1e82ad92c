import { describe, expect, it } from "vitest";
import { slackAccess } from "./access.ts";
import { stamped, stampedForm, unstamped } from "./stamp.ts";
import { SLACK_API, SLACK_PLACEHOLDER, type SlackSettings } from "./settings.ts";

const REAL = "xoxb-1-2-theRealBotToken";
const APP = "xapp-1-A1-3-theRealAppToken";
const settings: SlackSettings = {
  botToken: REAL,
  appToken: APP,
  signingSecret: "0123456789abcdef0123456789abcdef",
  policy: "pairing",
  allowFrom: [],
  openChannels: [],
  apiUrl: SLACK_API,
};
const BEARER = { authorization: `Bearer ${SLACK_PLACEHOLDER}` };
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const JSON_TYPE = { "content-type": "application/json" };
const POST_MESSAGE = "https://slack.com/api/chat.postMessage";

interface Passed {
  url: string;
  authorization: string | null;
  body: string;
}

async function ask(
  url: string,
  init: RequestInit = {},
  answer = () => new Response('{"ok":true}'),
  own = settings,
): Promise<{ passed: Passed[]; answer: Response }> {
  const passed: Passed[] = [];
  const reach: typeof fetch = async (input, given) => {
    const request = new Request(input, { ...given, ...(given?.body ? { duplex: "half" } : {}) });
    passed.push({
      url: request.url,
      authorization: request.headers.get("authorization"),
      body: await request.text(),
    });
    return answer();
  };
  const request = new Request(url, { method: "POST", ...init });
  return { answer: await slackAccess(own).answer(request, reach), passed };
}

const errorOf = async (answer: Response): Promise<unknown> =>
  ((await answer.json()) as { error?: string }).error;

describe("the placeholder", () => {
  it("is replaced in the header, for the Web API and for files alone", async () => {
    const body = new URLSearchParams({ channel: "C1", text: "token" }).toString();
    const call = await ask(`${POST_MESSAGE}?a=1`, { headers: { ...BEARER, ...FORM }, body });
    expect(call.passed).toEqual([
      { url: `${POST_MESSAGE}?a=1`, authorization: `Bearer ${REAL}`, body },
    ]);
    const address = "https://files.slack.com/files-pri/T1-F1/cat.png";
    const file = await ask(address, { method: "GET", headers: BEARER });
    expect(file.passed).toMatchObject([{ url: address, authorization: `Bearer ${REAL}` }]);
  });

  it("is taken out of a body, where Slack's client puts it as well", async () => {
    const form = `token=${SLACK_PLACEHOLDER}&channel=C1`;
    const one = await ask(POST_MESSAGE, { headers: { ...BEARER, ...FORM }, body: form });
    expect(one.passed).toMatchObject([{ authorization: `Bearer ${REAL}`, body: "channel=C1" }]);
    const json = JSON.stringify({ token: SLACK_PLACEHOLDER, channel: "C1" });
    const two = await ask(POST_MESSAGE, { headers: { ...BEARER, ...JSON_TYPE }, body: json });
    expect(two.passed).toMatchObject([{ body: '{"channel":"C1"}' }]);
  });

  it("is never replaced in an address, a body or where files go up", async () => {
    const upload = "https://files.slack.com/upload/v1/abc";
    const up = await ask(await stamped(upload, REAL), { headers: BEARER, body: SLACK_PLACEHOLDER });
    expect(up.passed).toEqual([{ url: upload, authorization: null, body: SLACK_PLACEHOLDER }]);
    const hook = "https://hooks.slack.com/commands/T1/2/abc";
    const said = await ask(await stamped(hook, REAL), {
      headers: BEARER,
      body: `{"text":"${SLACK_PLACEHOLDER}"}`,
    });
    expect(said.passed).toMatchObject([{ url: hook, authorization: null }]);
    expect(said.passed[0]?.body).toContain(SLACK_PLACEHOLDER);
  });
});

describe("what is not passed on", () => {
  it.each<[string, string, RequestInit, string]>([
    ["no token", POST_MESSAGE, {}, "not_authed"],
    [
      "another token",
      POST_MESSAGE,
      { headers: { authorization: "Bearer xoxb-9" } },
      "invalid_auth",
    ],
    [
      "the placeholder with more",
      POST_MESSAGE,
      { headers: { authorization: `Bearer ${SLACK_PLACEHOLDER}x` } },
      "invalid_auth",
    ],
    ["a token in the address", `${POST_MESSAGE}?token=x`, { headers: BEARER }, "invalid_auth"],
    [
      "somebody else's token in a form",
      POST_MESSAGE,
      { headers: { ...BEARER, ...FORM }, body: "channel=C1&token=xoxb-9" },
      "invalid_auth",
    ],
    [
      "two tokens in a form",
      POST_MESSAGE,
      { headers: { ...BEARER, ...FORM }, body: `token=${SLACK_PLACEHOLDER}&token=xoxb-9` },
      "invalid_auth",
    ],
    [
      "somebody else's token in JSON",
      POST_MESSAGE,
      { headers: { ...BEARER, ...JSON_TYPE }, body: '{"token":"xoxb-9"}' },
      "invalid_auth",
    ],
    [
      "a token in a form with parts",
      POST_MESSAGE,
      {
        headers: { ...BEARER, "content-type": "multipart/form-data; boundary=b" },
        body: '--b\r\nContent-Disposition: form-data; name="token"\r\n\r\nxoxb-9\r\n--b--\r\n',
      },
      "invalid_auth",
    ],
    [
      "a body beyond all measure",
      POST_MESSAGE,
      { headers: { ...BEARER, ...FORM }, body: "x".repeat(1024 ** 2 + 1) },
      "request_too_large",
    ],
    ["a page of Slack's", "https://slack.com/signin", { headers: BEARER }, "unknown_method"],
    ["a path within", "https://slack.com/api/../x", { headers: BEARER }, "unknown_method"],
    ["an incoming webhook", "https://hooks.slack.com/services/T/B/x", {}, "not_allowed"],
    ["a trigger", "https://hooks.slack.com/triggers/T/1/x", {}, "not_allowed"],
    [
      "an address for answers of another workspace",
      "https://hooks.slack.com/commands/T9/1/x",
      {},
      "not_allowed",
    ],
    ["an upload to another workspace", "https://files.slack.com/upload/v1/x", {}, "not_allowed"],
    [
      "a mark that is not ours",
      `https://files.slack.com/upload/v1/x?moltworker=${"A".repeat(43)}`,
      {},
      "not_allowed",
    ],
    ["another place for files", "https://files.slack.com/files-pri/x", {}, "not_allowed"],
    [
      "a file with another token",
      "https://files.slack.com/files-pri/x",
      { method: "GET", headers: { authorization: "Bearer xoxb-9" } },
      "invalid_auth",
    ],
  ])("%s", async (_name, url, init, error) => {
    const { passed, answer } = await ask(url, init);
    expect(passed).toEqual([]);
    expect(await errorOf(answer)).toBe(error);
  });

  it.each([
    "apps.connections.open",
    "apps.uninstall",
    "apps.manifest.export",
    "auth.revoke",
    "oauth.v2.access",
    "openid.connect.token",
    "tooling.tokens.rotate",
    "admin.users.list",
    "rtm.connect",
  ])("%s, which hands out a credential or turns the bot away", async (method) => {
    const { passed, answer } = await ask(`https://slack.com/api/${method}`, { headers: BEARER });
    expect(passed).toEqual([]);
    expect(await errorOf(answer)).toBe("restricted_action");
  });
});

it.each([
  ["the bot's", REAL],
  ["the app's", APP],
  ["the signing secret", settings.signingSecret],
])("an answer that holds a token is withheld: %s", async (_name, secret) => {
  const { answer } = await ask(POST_MESSAGE, { headers: BEARER }, () => {
    return new Response(`{"ok":true,"echo":"${secret}"}`, { headers: { "x-echo": `${secret}` } });
  });
  expect(answer.headers.get("x-echo")).toBeNull();
  await expect(answer.text()).rejects.toThrow("token");
});

it("the address for an upload is marked on its way in and only then good on its way out", async () => {
  const address = "https://files.slack.com/upload/v1/abc?a=1";
  const { answer } = await ask(
    "https://slack.com/api/files.getUploadURLExternal",
    { headers: BEARER },
    () => Response.json({ ok: true, file_id: "F1", upload_url: address }),
  );
  const given = (await answer.json()) as { upload_url: string; file_id: string };
  expect(given.file_id).toBe("F1");
  const up = await ask(given.upload_url, { body: "bytes" });
  expect(up.passed).toMatchObject([{ url: address, body: "bytes" }]);
  const changed = await ask(given.upload_url.replace("abc", "abd"), { body: "bytes" });
  expect(changed.passed).toEqual([]);
});

it("addresses for answers are marked in commands and interactions", async () => {
  const hook = "https://hooks.slack.com/actions/T1/2/abc";
  const command = await stampedForm(`command=%2Fopenclaw&response_url=${hook}`, REAL);
  expect(await unstamped(new URLSearchParams(command).get("response_url") ?? "", REAL)).toBe(hook);
  const payload = JSON.stringify({
    type: "block_actions",
    response_url: hook,
    response_urls: [{ block_id: "b", response_url: hook }],
  });
  const form = await stampedForm(new URLSearchParams({ payload }).toString(), REAL);
  const value = JSON.parse(new URLSearchParams(form).get("payload") ?? "");
  expect(value).toMatchObject({ type: "block_actions", response_urls: [{ block_id: "b" }] });
  expect(await unstamped(value.response_url, REAL)).toBe(hook);
  expect(await unstamped(value.response_urls[0].response_url, REAL)).toBe(hook);
});

it("behind a relay all of Slack's hosts are one", async () => {
  const own = { ...settings, apiUrl: "http://127.0.0.1:99/api" };
  const file = await ask(
    "https://files.slack.com/files-pri/T1-F1/cat.png?a=1",
    { method: "GET", headers: BEARER },
    undefined,
    own,
  );
  expect(file.passed).toMatchObject([{ url: "http://127.0.0.1:99/files-pri/T1-F1/cat.png?a=1" }]);
});
