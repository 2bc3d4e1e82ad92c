/** A secret, ours or anybody's, that is put into any input comes back in no page, log or record. */
import { generateIdentity } from "age-encryption";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SETTINGS } from "../../src/worker/config/settings.ts";
import { AUDIENCE, createAccessTeam, TEAM, type AccessTeam } from "../emulators/access.ts";
import { startWorkerServer, TOKEN, type WorkerServer } from "../support/worker-server.ts";

type Headers = Record<string, string>;

const long = (name: string): string => `${name}-planted-0123456789-abcdefghijklmnop`;
const STRANGER = long("strangers");
const DEVICE = "ab".repeat(32);

/** Every secret that can be set, and what some of them need beside them. */
const secrets: Record<string, string> = {
  MOLTBOT_GATEWAY_TOKEN: TOKEN,
  MOLTBOT_GATEWAY_TOKEN_PREVIOUS: long("previous"),
  ANTHROPIC_API_KEY: long("sk-ant"),
  OPENAI_API_KEY: long("sk-openai"),
  GEMINI_API_KEY: long("gemini"),
  OPENROUTER_API_KEY: long("openrouter"),
  WORKERS_AI_API_TOKEN: long("workers-ai"),
  CF_AI_GATEWAY_TOKEN: long("gateway"),
  CDP_SECRET: long("cdp"),
  TELEGRAM_BOT_TOKEN: "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
  SLACK_BOT_TOKEN: "xoxb-1234567890-plantedplanted",
  SLACK_SIGNING_SECRET: "0123456789abcdef0123456789abcdef",
  SLACK_APP_TOKEN: "xapp-1-A0123456789-1234567890-plantedplanted",
  DISCORD_BOT_TOKEN: `${btoa("80351110224678912").replaceAll("=", "")}.Gplant.planted-0123456789-abcdefghijk`,
};
const beside = {
  CF_ACCOUNT_ID: "f".repeat(32),
  CF_AI_GATEWAY_ACCOUNT_ID: "f".repeat(32),
  CF_AI_GATEWAY_GATEWAY_ID: "gateway",
};

let team: AccessTeam;
let worker: WorkerServer;
let admin = "";
let origin = "";
let clients = 0;
/** All that anybody could read afterwards: answers, pages, logs, records. */
const seen: string[] = [];

beforeAll(async () => {
  team = await createAccessTeam();
  secrets["BACKUP_KEY"] = await generateIdentity();
  worker = await startWorkerServer(
    {
      ...secrets,
      ...beside,
      CF_ACCESS_TEAM_DOMAIN: `https://${TEAM}`,
      CF_ACCESS_AUD: AUDIENCE,
      ADMIN_EMAILS: "owner@example.org",
      DEBUG_ROUTES: "true",
    },
    { outside: (request) => team.answer(request) },
  );
  admin = await team.mint({});
  origin = (await worker.address("AccessFace")).origin;
});
afterAll(() => worker.close());

async function ask(method: string, path: string, headers: Headers = {}, body?: string) {
  clients += 1;
  const answer = await worker.ask("AccessFace", {
    ...{
      method,
      path,
      headers: { "x-test-client": `10.0.${clients >> 8}.${clients & 255}`, ...headers },
    },
    ...(body === undefined ? {} : { body }),
  });
  return answer;
}

async function note(method: string, path: string, headers: Headers = {}, body?: string) {
  const { text, headers: told, cookies } = await ask(method, path, headers, body);
  seen.push(text, JSON.stringify(told), cookies.join("\n"));
}

const page = { Accept: "text/html", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate" };
const form = () => ({ Origin: origin, "Content-Type": "application/x-www-form-urlencoded" });
const json = () => ({
  Origin: origin,
  "Content-Type": "application/json",
  "Cf-Access-Jwt-Assertion": admin,
});

/** Puts one text into every place that a request has. */
async function plant(text: string): Promise<void> {
  const inUrl = encodeURIComponent(text);
  for (const path of ["/", "/_admin/", "/api/status", "/healthz", "/_moltworker/pair", "/ws"]) {
    await note("GET", `${path}?token=${inUrl}`);
    await note("GET", `${path}?token=${inUrl}`, page);
    await note("GET", path, { Authorization: `Bearer ${text}` });
    await note("GET", path, { "Cf-Access-Jwt-Assertion": text });
    await note("GET", path, { Cookie: `moltworker_session=${text}; CF_Authorization=${text}` });
    await note("GET", path, {
      ...{ "User-Agent": text, Referer: `https://x.example/?k=${inUrl}`, "X-Any": text },
      ...{ Origin: `https://${inUrl}.example`, "Accept-Language": text },
    });
    await note("GET", path, { Upgrade: text, Connection: "Upgrade" });
  }
  await note("GET", "/cdp/json/version", { "X-CDP-Secret": `${text}x` });
  await note("GET", `/cdp/json/version?secret=${inUrl}`);
  await note("POST", "/_moltworker/login", form(), `token=${inUrl}x&back=/`);
  await note("POST", "/_moltworker/pair", form(), `code=${inUrl}`);
  await note("POST", "/_moltworker/pair", json(), JSON.stringify({ code: text, deviceId: text }));
  await note("POST", "/api/agent/start", json(), JSON.stringify(text));
  await note("POST", "/api/agent/start", json(), `{"a": ${text}`);
  await note("POST", "/api/apps/codes", json(), JSON.stringify({ name: [text] }));
  // A path is logged as it is; what this Worker knows for a secret is taken out of it.
  if (text !== STRANGER) await note("POST", `/api/devices/${inUrl}/approve`, json(), "{}");
  await note("POST", "/webhooks/telegram/main", { "X-Telegram-Bot-Api-Secret-Token": text }, text);
  await note("POST", "/webhooks/slack/main", { "X-Slack-Signature": `v0=${text}` }, text);
}

test("every secret that can be set is tried", () => {
  const known = SETTINGS.filter(({ secret, unused }) => secret && unused === undefined);
  const untried = known.map(({ name }) => name).filter((name) => !(name in secrets));
  // Older names for a provider's key, of which only one may be set.
  expect(untried).toEqual(["CLOUDFLARE_AI_GATEWAY_API_KEY", "AI_GATEWAY_API_KEY"]);
});

test("what is planted comes back nowhere", async () => {
  const planted = [STRANGER, ...Object.values(secrets)];
  for (const text of planted) await plant(text);
  // Names are text that an admin gave: they are shown, but a secret among them is not written down.
  for (const text of Object.values(secrets)) {
    await ask(
      "PATCH",
      `/api/devices/${DEVICE}`,
      json(),
      JSON.stringify({ name: text.slice(0, 80) }),
    );
    await ask("POST", "/api/apps/codes", json(), JSON.stringify({ name: text.slice(0, 80) }));
  }
  await ask("DELETE", "/api/apps/codes", json());
  const assertion = { "Cf-Access-Jwt-Assertion": admin };
  for (const path of [
    ...["/_admin/", "/api/status", "/api/devices", "/api/settings", "/api/audit/export"],
    ...["/api/security", "/api/logs", "/api/channels", "/api/models", "/api/spend", "/api/apps"],
    ...["/api/browser", "/api/egress/refused", "/debug/version", "/debug/processes"],
  ]) {
    await note("GET", path, assertion);
  }
  expect(worker.logs.length).toBeGreaterThan(100);
  const everything = [...seen, ...worker.logs].join("\n");
  expect(everything.length).toBeGreaterThan(10_000);
  const found = planted.filter(
    (text) => everything.includes(text) || everything.includes(encodeURIComponent(text)),
  );
  expect(found).toEqual([]);
  expect(everything).not.toContain(admin);
});

test("a configuration with a problem names it without any value", async () => {
  const broken = await startWorkerServer({ ...secrets, CDP_SECRET: "short-cdp-secret" });
  try {
    const answer = await broken.ask("AccessFace", { path: "/api/status" });
    expect(answer.status).toBe(503);
    expect(answer.text).toContain("CDP_SECRET");
    const everything = [answer.text, ...broken.logs].join("\n");
    for (const text of [...Object.values(secrets), "short-cdp-secret"]) {
      expect(everything).not.toContain(text);
    }
  } finally {
    await broken.close();
  }
});
