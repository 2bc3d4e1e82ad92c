import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { configOf, parseConfig, secretsOf, type Config } from "./config.ts";
import type { ConfigProblem } from "./config/reading.ts";
import { SETTINGS } from "./config/settings.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";

function configured(env: Record<string, unknown>): Config {
  const parsed = parseConfig({ MOLTBOT_GATEWAY_TOKEN: TOKEN, ...env });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}
function problems(env: Record<string, unknown>): ConfigProblem[] {
  const parsed = parseConfig({ MOLTBOT_GATEWAY_TOKEN: TOKEN, ...env });
  return parsed.ok ? [] : parsed.problems;
}

test("a token alone is enough", () => {
  expect(configured({})).toEqual({
    gatewayToken: TOKEN,
    previousGatewayTokens: [],
    access: { audiences: [], adminEmails: [], adminServiceTokens: [] },
    settingsShown: {},
    sleepAfter: "never",
    egressAllow: [],
    models: { primary: "anthropic/claude-opus-5" },
    channels: { strangerWakes: 5, owners: [] },
    caps: {},
    prices: [],
    workerOrigins: [],
    debugRoutes: false,
    browser: { secretInUrl: false, hosts: { allow: [], deny: [], private: [] } },
    backups: {
      identities: [],
      retention: { allHours: 24, hourlyDays: 7, dailyDays: 30, weeklyWeeks: 52 },
    },
    notes: [expect.stringContaining("No model provider is set")],
    settingsPresent: ["MOLTBOT_GATEWAY_TOKEN"],
  });
});

test.each([
  ["MOLTBOT_GATEWAY_TOKEN", ""],
  ["MOLTBOT_GATEWAY_TOKEN", "x".repeat(31)],
  ["MOLTBOT_GATEWAY_TOKEN", `${"x".repeat(32)} y`],
  ["MOLTBOT_GATEWAY_TOKEN", "é".repeat(40)],
  ["MOLTBOT_GATEWAY_TOKEN", 7],
  ["BACKUP_KEY", "a passphrase of mine"],
  ["BACKUP_RETENTION", "for ever"],
  ["DEV_MODE", "true"],
  ["DEV_MODE", "false"],
  ["SANDBOX_SLEEP_AFTER", "soon"],
  ["SANDBOX_SLEEP_AFTER", "10"],
  ["SANDBOX_SLEEP_AFTER", "0m"],
  ["SANDBOX_SLEEP_AFTER", "31d"],
  ["SANDBOX_SLEEP_AFTER", "-1h"],
  ["WORKER_URL", "agent.example.org"],
  ["WORKER_URL", "https://agent.example.org/path"],
  ["WORKER_URL", "https://user:pw@agent.example.org"],
  ["WORKER_URL", "ftp://agent.example.org"],
  ["ADMIN_HOST", "https://admin.example.org"],
  ["ADMIN_HOST", "admin example"],
  ["DEBUG_ROUTES", "perhaps"],
  ["ANTHROPIC_BASE_URL", "api.anthropic.com"],
  ["OPENAI_BASE_URL", "https://user:pw@host/v1"],
  ["MODEL", "gpt"],
  ["MODEL", "mistral/large"],
  ["AI_GATEWAY_BASE_URL", "gateway"],
  ["SPEND_CAP_DAY_USD", "lots"],
  ["SPEND_CAP_DAY_USD", "0"],
  ["SPEND_CAP_MONTH_USD", "-1"],
  ["MODEL_PRICES", "openai/x"],
  ["MODEL_PRICES", "x=1/2"],
  ["EGRESS_ALLOW", "*"],
  ["EGRESS_ALLOW", "*.org"],
  ["EGRESS_ALLOW", "*.1.2.3.4"],
  ["EGRESS_ALLOW", "a.*.example.org"],
  ["EGRESS_ALLOW", "https://example.org"],
  ["EGRESS_ALLOW", "example.org/path"],
  ["EGRESS_ALLOW", "example.org:0"],
  ["EGRESS_ALLOW", "example.org:99999"],
])("%s=%j is a problem of that name with a way to mend it", (name, value) => {
  const found = problems({ [name]: value });
  expect(found.map((problem) => problem.name)).toEqual([name]);
  expect(found[0]?.mend.length).toBeGreaterThan(10);
});

test("every problem is listed at once", () => {
  const found = problems({ MOLTBOT_GATEWAY_TOKEN: "short", DEV_MODE: "1", DEBUG_ROUTES: "x" });
  expect(found.map(({ name }) => name).sort()).toEqual([
    "DEBUG_ROUTES",
    "DEV_MODE",
    "MOLTBOT_GATEWAY_TOKEN",
  ]);
});

test("no problem and no note shows a secret", () => {
  const secrets = SETTINGS.filter(({ secret }) => secret).map(({ name }) => name);
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.constantFrom(...secrets),
        fc.stringMatching(/^[0-9a-f]{6,40}$/).map((hex) => `s3cr3t${hex}`),
      ),
      (env) => {
        const parsed = parseConfig(env);
        const shown = JSON.stringify(parsed.ok ? parsed.config.notes : parsed.problems);
        expect(shown).not.toContain("s3cr3t");
      },
    ),
  );
});

describe("models", () => {
  test.each([
    [{ ANTHROPIC_API_KEY: "a" }, "anthropic/claude-opus-5"],
    [{ OPENAI_API_KEY: "o" }, "openai/gpt-5.5"],
    [{ ANTHROPIC_API_KEY: "a", OPENAI_API_KEY: "o" }, "anthropic/claude-opus-5"],
    [{ OPENAI_BASE_URL: "http://127.0.0.1:1/v1", MODEL: "openai/demo" }, "openai/demo"],
    [{ ANTHROPIC_API_KEY: "a", OPENAI_BASE_URL: "http://h/v1" }, "anthropic/claude-opus-5"],
  ])("%j thinks with %s", (env, primary) => {
    expect(configured(env).models.primary).toBe(primary);
  });

  test("another server is compatible and may need no key, OpenAI's own is not", () => {
    const env = { OPENAI_BASE_URL: "http://127.0.0.1:1/v1/", MODEL: "openai/demo" };
    expect(configured(env).models.openai).toEqual({
      baseUrl: "http://127.0.0.1:1/v1",
      compatible: true,
    });
    const own = { OPENAI_API_KEY: "o", OPENAI_BASE_URL: "https://api.openai.com/v1" };
    expect(configured(own).models.openai?.compatible).toBe(false);
  });

  test("a compatible server without MODEL, and a MODEL without its provider, are problems", () => {
    expect(problems({ OPENAI_BASE_URL: "http://h/v1" })[0]?.name).toBe("MODEL");
    expect(problems({ OPENAI_API_KEY: "o", MODEL: "anthropic/x" })[0]?.name).toBe("MODEL");
  });

  test("Anthropic's address is taken with and without /v1", () => {
    const env = { ANTHROPIC_API_KEY: "a", ANTHROPIC_BASE_URL: "https://gw.example/anthropic/v1/" };
    expect(configured(env).models.anthropic?.baseUrl).toBe("https://gw.example/anthropic");
  });
});

test("durations, lists and flags are read", () => {
  const config = configured({
    SANDBOX_SLEEP_AFTER: "10m",
    WORKER_URL: "https://a.example/, http://127.0.0.1:8787",
    EGRESS_ALLOW: "Example.ORG *.pypi.org,api.example:8443 [::1]",
    DEBUG_ROUTES: "TRUE",
    ADMIN_HOST: "Admin.Example",
  });
  expect(config.sleepAfter).toBe(600_000);
  expect(config.workerOrigins).toEqual(["https://a.example", "http://127.0.0.1:8787"]);
  expect(config.egressAllow).toEqual([
    { kind: "exact", host: "example.org" },
    { kind: "below", host: "pypi.org" },
    { kind: "exact", host: "api.example", port: 8443 },
    { kind: "exact", host: "[::1]" },
  ]);
  expect(config.debugRoutes).toBe(true);
  expect(config.adminHost).toBe("admin.example");
});

/** What the guides that people follow tell them to set. */
const GUIDE_NAMES = [
  "ANTHROPIC_API_KEY ANTHROPIC_BASE_URL OPENAI_API_KEY AI_GATEWAY_API_KEY AI_GATEWAY_BASE_URL",
  "CLOUDFLARE_AI_GATEWAY_API_KEY CF_AI_GATEWAY_ACCOUNT_ID CF_AI_GATEWAY_GATEWAY_ID CF_AI_GATEWAY_MODEL",
  "MOLTBOT_GATEWAY_TOKEN CF_ACCESS_TEAM_DOMAIN CF_ACCESS_AUD",
  "R2_ACCESS_KEY_ID R2_SECRET_ACCESS_KEY CF_ACCOUNT_ID",
  "TELEGRAM_BOT_TOKEN TELEGRAM_DM_POLICY TELEGRAM_DM_ALLOW_FROM",
  "DISCORD_BOT_TOKEN DISCORD_DM_POLICY SLACK_BOT_TOKEN SLACK_APP_TOKEN",
  "CDP_SECRET WORKER_URL SANDBOX_SLEEP_AFTER DEBUG_ROUTES DEV_MODE",
].flatMap((line) => line.split(" "));

test.each(GUIDE_NAMES)("%s is known, and used or answered with why not", (name) => {
  const setting = SETTINGS.find((each) => each.name === name);
  expect(setting?.description).toMatch(/\w/);
  const parsed = parseConfig({ MOLTBOT_GATEWAY_TOKEN: TOKEN, [name]: "?" });
  // A value that cannot be right is a problem of that name, unless it is any text, or without effect.
  const refused = parsed.ok ? [] : parsed.problems.map((problem) => problem.name);
  const notes = parsed.ok ? parsed.config.notes.join(" ") : "";
  const anyText = /_API_KEY$|^CF_ACCOUNT_ID$/.test(name);
  expect(anyText || refused.includes(name) || notes.includes(name)).toBe(true);
});

test("names of other setups are recognised and said to have no effect", () => {
  const { notes } = configured({
    R2_ACCESS_KEY_ID: "x",
    R2_SECRET_ACCESS_KEY: "y",
    ANTHROPIC_API_KEY: "a",
  });
  expect(notes).toHaveLength(2);
  expect(notes[0]).toContain("R2_ACCESS_KEY_ID");
  expect(notes[1]).toContain("R2_SECRET_ACCESS_KEY");
});

test("a Telegram token alone sets the channel up, with pairing", () => {
  const token = "123456:AAabcdefghijklmnopqrstuvwxyz0123456";
  const config = configured({ TELEGRAM_BOT_TOKEN: token });
  expect(config.channels.telegram).toEqual({
    token,
    policy: "pairing",
    allowFrom: [],
    apiUrl: "https://api.telegram.org",
  });
  expect(secretsOf(config)).toContain(token);
});

test.each([
  ["TELEGRAM_BOT_TOKEN", "hello"],
  ["TELEGRAM_DM_POLICY", "anybody"],
  ["TELEGRAM_DM_ALLOW_FROM", "@alice"],
  ["SLACK_BOT_TOKEN", "xapp-1-A0123-456-abcdef"],
  ["SLACK_APP_TOKEN", "xoxb-12345-67890-abcdef"],
  ["SLACK_SIGNING_SECRET", "short"],
  ["SLACK_DM_POLICY", "anybody"],
  ["SLACK_DM_ALLOW_FROM", "alice"],
  ["SLACK_CHANNELS", "#general"],
  ["CHANNEL_OWNERS", "alice"],
  ["CHANNEL_OWNERS", "signal:1"],
  ["CHANNEL_STRANGER_WAKES", "many"],
])("%s=%s is refused by name", (name, value) => {
  expect(problems({ [name]: value })).toMatchObject([{ name }]);
});

describe("Slack", () => {
  const bot = "xoxb-12345-67890-abcdefghij";
  const secret = "0123456789abcdef0123456789abcdef";

  test("needs the bot token and one way in", () => {
    const config = configured({ SLACK_BOT_TOKEN: bot, SLACK_SIGNING_SECRET: secret });
    expect(config.channels.slack).toEqual({
      botToken: bot,
      signingSecret: secret,
      policy: "pairing",
      allowFrom: [],
      openChannels: [],
      apiUrl: "https://slack.com/api",
    });
    expect(secretsOf(config)).toEqual(expect.arrayContaining([bot, secret]));
  });

  test.each([
    ["only the bot token", { SLACK_BOT_TOKEN: bot }, "SLACK_SIGNING_SECRET"],
    ["only the secret", { SLACK_SIGNING_SECRET: secret }, "xoxb-"],
    ["only the app token", { SLACK_APP_TOKEN: "xapp-1-A0123-456-abcdef" }, "xoxb-"],
  ])("half set up is refused: %s", (_name, env, mend) => {
    expect(problems(env)).toMatchObject([
      { name: "SLACK_BOT_TOKEN", mend: expect.stringContaining(mend) },
    ]);
  });
});

test("an allowlist without anybody on it is refused", () => {
  const token = "123456:AAabcdefghijklmnopqrstuvwxyz0123456";
  const env = { TELEGRAM_BOT_TOKEN: token, TELEGRAM_DM_POLICY: "allowlist" };
  expect(problems(env)).toMatchObject([{ name: "TELEGRAM_DM_ALLOW_FROM" }]);
});

test.each([
  ["telegram", { TELEGRAM_BOT_TOKEN: "123456:AAabcdefghijklmnopqrstuvwxyz0123456" }],
  [
    "slack",
    { SLACK_BOT_TOKEN: "xoxb-1234567890-abcdefghij", SLACK_SIGNING_SECRET: "0".repeat(32) },
  ],
  ["discord", { DISCORD_BOT_TOKEN: `${btoa("803511102246789120")}.GabcdE.${"a".repeat(38)}` }],
] as const)("* among the ids of %s lets everybody in, as the policy open does", (channel, env) => {
  const name = `${channel.toUpperCase()}_DM_ALLOW_FROM`;
  expect(configured({ ...env, [name]: "*" }).channels[channel]?.policy).toBe("open");
  expect(configured(env).channels[channel]?.policy).toBe("pairing");
});

test("is parsed once for one env", () => {
  const env = { MOLTBOT_GATEWAY_TOKEN: TOKEN };
  expect(configOf(env)).toBe(configOf(env));
});

test("every secret of the configuration is known to the logger", () => {
  const config = configured({ ANTHROPIC_API_KEY: "key-a", OPENAI_API_KEY: "key-o" });
  expect(secretsOf(config)).toEqual([TOKEN, "key-a", "key-o"]);
});

test("a Cloudflare Access team is read however it is written, and admins by address and client id", () => {
  for (const team of [
    "https://Myteam.cloudflareaccess.com/",
    "myteam.cloudflareaccess.com",
    "myteam",
  ]) {
    expect(
      configured({
        CF_ACCESS_TEAM_DOMAIN: team,
        CF_ACCESS_AUD: `${"A".repeat(64)}, ${"b".repeat(64)}`,
        ADMIN_EMAILS: "Owner@Example.org second@example.org",
        ADMIN_SERVICE_TOKENS: "0123abcd.access",
      }).access,
    ).toEqual({
      teamOrigin: "https://myteam.cloudflareaccess.com",
      audiences: ["a".repeat(64), "b".repeat(64)],
      adminEmails: ["owner@example.org", "second@example.org"],
      adminServiceTokens: ["0123abcd.access"],
    });
  }
});

test.each([
  ["CF_ACCESS_TEAM_DOMAIN", "https://myteam.cloudflareaccess.com/cdn-cgi/access/certs"],
  ["CF_ACCESS_TEAM_DOMAIN", "http://myteam.cloudflareaccess.com"],
  ["CF_ACCESS_AUD", "abc"],
  ["ADMIN_EMAILS", "owner@example.org, *@example.org"],
  ["ADMIN_EMAILS", "owner"],
  ["ADMIN_SERVICE_TOKENS", "a b c"],
])("%s set to %j is a problem", (name, value) => {
  expect(problems({ [name]: value }).map((problem) => problem.name)).toEqual([name]);
});

test("of a secret only that it is set is kept to be shown", () => {
  const config = configured({
    ANTHROPIC_API_KEY: "sk-ant-0123456789",
    EGRESS_ALLOW: "example.org",
  });
  expect(config.settingsShown).toEqual({ EGRESS_ALLOW: "example.org" });
  expect(config.settingsPresent).toContain("ANTHROPIC_API_KEY");
});
