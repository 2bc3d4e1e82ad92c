import { execFile } from "node:child_process";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { gatewayConfig, type GatewaySettings } from "../../src/worker/agent/gateway-config.ts";

const run = promisify(execFile);
const cli = path.resolve("container/node_modules/openclaw/openclaw.mjs");
let home: string;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "gateway-config-"));
  await mkdir(path.join(home, ".openclaw"));
});
afterAll(() => rm(home, { recursive: true, force: true }));

async function openclaw(...args: string[]): Promise<string> {
  const env = {
    PATH: process.env["PATH"],
    HOME: home,
    TMPDIR: home,
    OPENCLAW_NO_RESPAWN: "1",
    OPENCLAW_NO_AUTO_UPDATE: "1",
  };
  const { stdout } = await run(process.execPath, [cli, ...args], { env, timeout: 60_000 });
  return stdout;
}

const workerOrigins = ["http://127.0.0.1:8787", "https://agent.example"];
const browser = { private: [{ kind: "exact", host: "192.168.1.20" }] } as const;
const sleeps = true;
const channels: GatewaySettings["channels"] = { strangerWakes: 5, owners: [] };
const telegram = {
  token: "123456:AAabcdefghijklmnopqrstuvwxyz0123456",
  policy: "pairing",
  allowFrom: ["42"],
  apiUrl: "https://api.telegram.org",
} as const;
const discord = {
  token: "MTIzNDU2Nzg5MDEyMzQ1Njc4.Gabcde.abcdefghijklmnopqrstuvwxyz0123456",
  botId: "123456789012345678",
  policy: "pairing",
  allowFrom: [],
  guilds: ["876543210987654321"],
  apiUrl: "https://discord.com/api/v10",
} as const;
const slack = {
  botToken: "xoxb-1-2-planted0123456789",
  signingSecret: "0123456789abcdef0123456789abcdef",
  policy: "allowlist",
  allowFrom: ["U0123ABC"],
  openChannels: ["*"],
  apiUrl: "https://slack.com/api",
} as const;
const cases: [string, GatewaySettings][] = [
  [
    "an Anthropic key",
    {
      models: { anthropic: {}, primary: "anthropic/claude-opus-5" },
      workerOrigins,
      browser,
      sleeps,
      channels,
    },
  ],
  [
    "an OpenAI key",
    {
      models: { openai: { compatible: false }, primary: "openai/gpt-5.5" },
      workerOrigins,
      browser,
      sleeps,
      channels,
    },
  ],
  [
    "a compatible server",
    {
      models: { openai: { compatible: true }, primary: "openai/demo" },
      workerOrigins,
      browser,
      sleeps,
      channels,
    },
  ],
  [
    "both and no origin",
    {
      models: { anthropic: {}, openai: { compatible: true }, primary: "anthropic/claude-opus-5" },
      workerOrigins: [],
      browser: undefined,
      sleeps: false,
      channels,
    },
  ],
  [
    "Telegram with an owner",
    {
      models: { anthropic: {}, primary: "anthropic/claude-opus-5" },
      workerOrigins,
      browser,
      sleeps,
      channels: { ...channels, telegram, owners: [{ channel: "telegram", id: "42" }] },
    },
  ],
  [
    "Telegram for everybody",
    {
      models: { anthropic: {}, primary: "anthropic/claude-opus-5" },
      workerOrigins,
      browser,
      sleeps,
      channels: { ...channels, telegram: { ...telegram, policy: "open" } },
    },
  ],
  [
    "Slack with an owner",
    {
      models: { anthropic: {}, primary: "anthropic/claude-opus-5" },
      workerOrigins,
      browser,
      sleeps: false,
      channels: { ...channels, slack, owners: [{ channel: "slack", id: "U0123ABC" }] },
    },
  ],
  [
    "Discord with an owner and a server",
    {
      models: { anthropic: {}, primary: "anthropic/claude-opus-5" },
      workerOrigins,
      browser,
      sleeps: false,
      channels: { ...channels, discord, owners: [{ channel: "discord", id: discord.botId }] },
    },
  ],
];

describe("the pinned gateway's own validation", () => {
  it.each(cases)("accepts the configuration for %s", async (_name, settings) => {
    await writeFile(path.join(home, ".openclaw/openclaw.json"), gatewayConfig(settings));
    const answer: unknown = JSON.parse(await openclaw("config", "validate", "--json"));
    expect(answer).toMatchObject({ valid: true });
  });
});

const listed = z.object({
  skills: z.array(z.looseObject({ name: z.string(), eligible: z.boolean() })),
});

describe("the project's own skill for the browser", () => {
  it.each([
    ["is offered to an agent that has a browser", browser, true],
    ["is not where browsing is off", undefined, false],
  ] as const)("%s", async (_name, bound, eligible) => {
    const { browser: part } = JSON.parse(
      gatewayConfig({
        models: { anthropic: {}, primary: "anthropic/claude-opus-5" },
        workerOrigins,
        browser: bound,
        sleeps,
        channels,
      }),
    );
    const skills = { load: { extraDirs: [path.resolve("container/skills")] } };
    // Alone: the rest names files of the sandbox, which are not here.
    await writeFile(
      path.join(home, ".openclaw/openclaw.json"),
      JSON.stringify({ browser: part, skills }),
    );
    const said = await openclaw("skills", "list", "--json");
    const answer = listed.parse(JSON.parse(said.slice(said.indexOf("{"))));
    expect(answer.skills.find(({ name }) => name === "browser")?.eligible).toBe(eligible);
  });
});
