/** What is configured and what is not, one line each. Pure; names settings, never their values. */
import path from "node:path";
import { PROVIDERS } from "../../worker/ai/providers.ts";
import type { Config } from "../../worker/config.ts";

const PLATFORMS: ReadonlyMap<string, string> = new Map([
  ["telegram", "Telegram"],
  ["slack", "Slack"],
  ["discord", "Discord"],
]);

export interface StartFacts {
  config: Config;
  demoModel: boolean;
  engine: "bubblewrap" | "docker" | "plain";
  /** Plain statements of what this host does not allow the sandbox to be given. */
  limits: readonly string[];
  /** Which browser the agent has, or why none. */
  browser: string;
  stateDir: string;
  /** True when the person set MOLTBOT_GATEWAY_TOKEN. */
  ownToken: boolean;
  /** True when the person set BACKUP_KEY. */
  ownKey: boolean;
}

export function statusLines(facts: StartFacts): { name: string; text: string }[] {
  const lines = [
    { name: "Models", text: models(facts) },
    { name: "Sandbox", text: sandbox(facts) },
    ...facts.limits.map((text) => ({ name: "", text })),
    { name: "Egress", text: egress(facts.config) },
    { name: "Sleep", text: sleep(facts.config) },
    { name: "Token", text: token(facts.ownToken) },
    { name: "State", text: facts.stateDir },
    { name: "Backups", text: backups(facts) },
    { name: "Browser", text: facts.browser },
    { name: "Channels", text: channels(facts.config) },
  ];
  return [...lines, ...facts.config.notes.map((text) => ({ name: "Note", text }))];
}

function models({ config, demoModel }: StartFacts): string {
  if (demoModel) {
    return "the built-in demo model, which only plays one: set ANTHROPIC_API_KEY or OPENAI_API_KEY in .dev.vars";
  }
  const { openai, primary } = config.models;
  const providers = PROVIDERS.filter(({ id }) => config.models[id] !== undefined).map(
    ({ id, title }) => (id === "openai" && openai?.compatible === true ? openai.baseUrl : title),
  );
  return `${primary} (${providers.join(" and ")})`;
}

function sandbox({ engine }: StartFacts): string {
  if (engine === "plain") return "none: the agent runs as an ordinary process of yours";
  return engine === "docker" ? "Docker" : "bubblewrap, private namespaces, no network of its own";
}

function egress(config: Config): string {
  if (config.egressAllow.length === 0) return "closed (EGRESS_ALLOW opens single hosts)";
  return `${config.egressAllow.length} allowed by EGRESS_ALLOW, everything else closed`;
}

function sleep(config: Config): string {
  if (config.sleepAfter === "never") return "never (SANDBOX_SLEEP_AFTER)";
  return `after ${Math.round(config.sleepAfter / 60_000)} min without traffic or work`;
}

function token(own: boolean): string {
  return own ? "MOLTBOT_GATEWAY_TOKEN" : "made at the first start and kept in the state folder";
}

function channels({ channels: configured }: Config): string {
  const names = Object.entries(configured).flatMap(([name, value]) =>
    PLATFORMS.has(name) && value !== undefined ? [PLATFORMS.get(name)] : [],
  );
  if (names.length > 0) return `the Control UI, ${names.join(", ")}`;
  return "the Control UI; no chat platform is set up (TELEGRAM_BOT_TOKEN and its like)";
}

function backups({ stateDir, ownKey }: StartFacts): string {
  const key = ownKey
    ? "BACKUP_KEY"
    : `the key in ${path.join(stateDir, "backup-key")}: keep a copy`;
  return `every change, in the state folder, encrypted with ${key}`;
}
