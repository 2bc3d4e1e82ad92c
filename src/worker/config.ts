/**
 * `env` → `Config`, once an isolate. Fails closed: one problem, and the Worker serves nothing but
 * the list of problems, whose texts hold no setting's value.
 */
import * as z from "zod";
import { DEFAULT_RETENTION, type RetentionPolicy } from "./backups/retention.ts";
import type { AccessConfig } from "./access/cloudflare-access/settings.ts";
import * as field from "./config/fields.ts";
import type { Field } from "./config/fields.ts";
import { type BrowserConfig, readBrowser } from "./config/browser.ts";
import { modelSecrets, readModels, type Models } from "./config/models.ts";
import { type ConfigProblem, withoutValue } from "./config/reading.ts";
import { SETTINGS } from "./config/settings.ts";
import { channelSecrets, readChannels, type ChannelSettings } from "./channels/settings.ts";
import type { CapSettings, PriceOverride } from "../protocol/spend-settings.ts";
import type { HostPattern } from "./egress/pattern.ts";

export interface Config {
  gatewayToken: string;
  /** Still taken while it is being replaced; at most one. */
  previousGatewayTokens: string[];
  /** Milliseconds without activity after which the sandbox stops. */
  sleepAfter: "never" | number;
  egressAllow: HostPattern[];
  models: Models;
  channels: ChannelSettings;
  /** Spending caps, until an admin sets others. */
  caps: CapSettings;
  /** Prices of one's own, after those that an admin sets. */
  prices: PriceOverride[];
  /** The addresses people open; empty when unset: then the request's own origin counts. */
  workerOrigins: string[];
  /** Host (with port when not the usual one) that alone serves the admin page and API. */
  adminHost?: string;
  /** Who logs admins in, and who is one. */
  access: AccessConfig;
  debugRoutes: boolean;
  browser: BrowserConfig;
  backups: {
    /** age identities, the current one first; none when backups are not encrypted. */
    identities: string[];
    retention: RetentionPolicy;
  };
  /** Plain statements about settings that have no effect. */
  notes: string[];
  /** Names of the settings that are set, never their values. */
  settingsPresent: string[];
  /** Text of the settings that are set and no secret. */
  settingsShown: Record<string, string>;
}

export type ParsedConfig = { ok: true; config: Config } | { ok: false; problems: ConfigProblem[] };

export const MIN_TOKEN_LENGTH = 32;
const parsed = new WeakMap<object, ParsedConfig>();

/** Parsed once for each `env` object; the runtime hands the same one to every request. */
export function configOf(env: object): ParsedConfig {
  let config = parsed.get(env);
  if (config === undefined) {
    config = parseConfig(env);
    parsed.set(env, config);
  }
  return config;
}

export function parseConfig(env: object): ParsedConfig {
  const problems: ConfigProblem[] = [];
  const text = settingsIn(env, problems);

  function read<T>(name: string, parse: (text: string) => Field<T>): T | undefined {
    const given = text.get(name);
    if (given === undefined) return undefined;
    const result = parse(given);
    if (result.ok) return result.value;
    problems.push({ name, problem: withoutValue(result.problem, given), mend: result.mend });
    return undefined;
  }

  if (text.has("DEV_MODE")) {
    problems.push({
      name: "DEV_MODE",
      problem: "is set; elsewhere it switches all authentication off, here nothing does",
      mend: "Remove it. `npm start` gives a login on this machine without it.",
    });
  }
  const gatewayToken = read("MOLTBOT_GATEWAY_TOKEN", gatewayTokenField);
  if (gatewayToken === undefined && !named(problems, "MOLTBOT_GATEWAY_TOKEN")) {
    problems.push({
      name: "MOLTBOT_GATEWAY_TOKEN",
      problem: "is not set",
      mend: `Set it to at least ${MIN_TOKEN_LENGTH} random characters, for example from: openssl rand -hex 32`,
    });
  }
  const previousToken = read("MOLTBOT_GATEWAY_TOKEN_PREVIOUS", gatewayTokenField);
  const { models, notes } = readModels(text, read, problems);
  const dayUsd = read("SPEND_CAP_DAY_USD", field.usd);
  const monthUsd = read("SPEND_CAP_MONTH_USD", field.usd);
  const adminHost = read("ADMIN_HOST", field.hostname);
  const teamOrigin = read("CF_ACCESS_TEAM_DOMAIN", field.accessTeam);
  const config: Config = {
    gatewayToken: gatewayToken ?? "",
    previousGatewayTokens: previousToken === undefined ? [] : [previousToken],
    sleepAfter: read("SANDBOX_SLEEP_AFTER", field.sleepAfter) ?? "never",
    egressAllow: read("EGRESS_ALLOW", field.egressAllow) ?? [],
    models,
    channels: readChannels(read, problems),
    caps: {
      ...(dayUsd === undefined ? {} : { dayUsd }),
      ...(monthUsd === undefined ? {} : { monthUsd }),
    },
    prices: read("MODEL_PRICES", field.prices) ?? [],
    workerOrigins: read("WORKER_URL", field.origins) ?? [],
    ...(adminHost === undefined ? {} : { adminHost }),
    access: {
      ...(teamOrigin === undefined ? {} : { teamOrigin }),
      audiences: read("CF_ACCESS_AUD", field.accessAudiences) ?? [],
      adminEmails: read("ADMIN_EMAILS", field.emails) ?? [],
      adminServiceTokens: read("ADMIN_SERVICE_TOKENS", field.serviceTokens) ?? [],
    },
    debugRoutes: read("DEBUG_ROUTES", field.flag) ?? false,
    browser: readBrowser(read),
    backups: {
      identities: read("BACKUP_KEY", field.backupKey) ?? [],
      retention: read("BACKUP_RETENTION", field.retention) ?? DEFAULT_RETENTION,
    },
    notes: [...unusedNotes(text), ...notes],
    settingsPresent: SETTINGS.map((setting) => setting.name).filter((name) => text.has(name)),
    settingsShown: Object.fromEntries(
      SETTINGS.flatMap(({ name, secret }) => {
        const value = text.get(name);
        return secret || value === undefined ? [] : [[name, value]];
      }),
    ),
  };
  return problems.length > 0 ? { ok: false, problems } : { ok: true, config };
}

/** What must never show in a log or a reply. */
export function secretsOf(config: Config): string[] {
  const { gatewayToken, previousGatewayTokens, models, channels, backups, browser } = config;
  return [
    gatewayToken,
    ...previousGatewayTokens,
    ...modelSecrets(models),
    ...channelSecrets(channels),
    ...backups.identities,
    ...(browser.secret === undefined ? [] : [browser.secret]),
  ];
}

function gatewayTokenField(text: string): Field<string> {
  if (text.length < MIN_TOKEN_LENGTH) {
    return {
      ok: false,
      problem: `has ${text.length} characters, fewer than ${MIN_TOKEN_LENGTH}`,
      mend: `Set it to at least ${MIN_TOKEN_LENGTH} random characters, for example from: openssl rand -hex 32`,
    };
  }
  if (!/^[\x21-\x7e]+$/.test(text)) {
    return {
      ok: false,
      problem: "holds a space or a character that is not ASCII",
      mend: "Use letters, digits and - . _ ~ only: the token travels in links and headers.",
    };
  }
  return { ok: true, value: text };
}

/** The known settings that hold text. Blank means unset; anything but a string is a problem. */
function settingsIn(env: object, problems: ConfigProblem[]): Map<string, string> {
  const values = new Map<string, string>();
  const bag = new Map<string, unknown>(Object.entries(env));
  for (const { name } of SETTINGS) {
    const value = z.string().trim().optional().safeParse(bag.get(name));
    if (!value.success) {
      problems.push({ name, problem: "is not text", mend: "Set it as a plain string." });
    } else if (value.data !== undefined && value.data !== "") {
      values.set(name, value.data);
    }
  }
  return values;
}

function named(problems: ConfigProblem[], name: string): boolean {
  return problems.some((problem) => problem.name === name);
}

function unusedNotes(text: Map<string, string>): string[] {
  return SETTINGS.filter(({ name, unused }) => unused !== undefined && text.has(name)).map(
    ({ name, unused }) => `${name} is ${unused ?? ""}.`,
  );
}
