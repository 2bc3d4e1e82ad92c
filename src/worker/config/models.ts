/**
 * Which providers are set up, and which way out leads to them: straight, or through Cloudflare AI
 * Gateway when its ids are set. Pure.
 */
import { CLOUDFLARE_GATEWAY } from "../ai/cloudflare-gateway.ts";
import {
  PROVIDERS,
  providerOf,
  type Access,
  type AiConfig,
  type ProviderId,
} from "../ai/providers.ts";
import { namesGateway, readAddresses, readOlderPair, TOKEN } from "./addresses.ts";
import * as field from "./fields.ts";
import type { Field } from "./fields.ts";
import type { ConfigProblem, Read } from "./reading.ts";

export interface Models extends AiConfig {
  /** `provider/model`; names a provider that may be missing when none is configured at all. */
  primary: string;
}

export interface ReadModels {
  models: Models;
  /** Plain statements about what the settings came to. */
  notes: string[];
}

type Text = ReadonlyMap<string, string>;

const DEFAULT_MODELS: Partial<Record<ProviderId, string>> = {
  anthropic: "anthropic/claude-opus-5",
  openai: "openai/gpt-5.5",
  google: "google/gemini-3.5-flash",
  openrouter: "openrouter/anthropic/claude-opus-5",
  "workers-ai": "workers-ai/@cf/openai/gpt-oss-120b",
};
const KEYS: Record<ProviderId, string> = {
  anthropic: "ANTHROPIC_API_KEY",
  openai: "OPENAI_API_KEY",
  google: "GEMINI_API_KEY",
  openrouter: "OPENROUTER_API_KEY",
  "workers-ai": "WORKERS_AI_API_TOKEN",
};
/** Names by which Cloudflare's own settings call our providers. */
const CLOUDFLARE_NAMES: Record<string, ProviderId> = { "google-ai-studio": "google" };

interface Gateway {
  /** `https://gateway.ai.cloudflare.com/v1/account/gateway`. */
  url: string;
  token?: string;
  /** The provider's key that `CLOUDFLARE_AI_GATEWAY_API_KEY` holds. */
  key?: string;
  model?: { provider: ProviderId | "compat"; full: string };
}

export function readModels(text: Text, read: Read, problems: ConfigProblem[]): ReadModels {
  const notes: string[] = [];
  const gateway = readGateway(text, read, problems);
  const older = readOlderPair(text, read, problems);
  const addresses = readAddresses(text, read, problems);
  const account = read("CF_ACCOUNT_ID", field.id) ?? text.get("CF_AI_GATEWAY_ACCOUNT_ID");

  const models: Models = { primary: DEFAULT_MODELS.anthropic ?? "" };
  for (const { id, home, gatewayPath } of PROVIDERS) {
    const own = text.get(KEYS[id]);
    const address = id === "anthropic" || id === "openai" ? addresses[id] : undefined;
    const access = accessOf();
    if (access === undefined) continue;
    // Anthropic's own clients add /v1 themselves; people write it both ways.
    const baseUrl = id === "anthropic" ? access.baseUrl.replace(/\/v1$/, "") : access.baseUrl;
    if (id === "openai") {
      const compatible = address?.compatible ?? (older?.provider === id && older.compatible);
      models.openai = { ...access, baseUrl, compatible };
    } else models[id] = { ...access, baseUrl };

    function accessOf(): Access | undefined {
      const key = own === undefined ? {} : { apiKey: own };
      // An address of one's own says more than a gateway for everything.
      if (address !== undefined) {
        const { compatible: _, ...where } = address;
        return { ...key, ...where };
      }
      if (older?.provider === id) return older.access;
      if (gateway !== undefined) return throughGateway(gateway, id, gatewayPath, own);
      if (own === undefined) return undefined;
      if (!home.includes("{account}")) return { ...key, baseUrl: home };
      if (account !== undefined) return { ...key, baseUrl: home.replace("{account}", account) };
      problems.push({
        name: KEYS[id],
        problem: "is set, and no account is named whose models it pays for",
        mend: "Set CF_ACCOUNT_ID to the account's id.",
      });
      return undefined;
    }
  }
  if (gateway?.model?.provider === "compat") {
    // One place speaks OpenAI's formats for whoever has no entry of its own.
    if (!text.has("OPENAI_API_KEY") && addresses.openai === undefined)
      models.openai = compat(gateway);
    else {
      problems.push({
        name: "CF_AI_GATEWAY_MODEL",
        problem:
          "names a provider that is reached as an OpenAI-compatible server, and another one is set",
        mend: "Remove OPENAI_API_KEY and OPENAI_BASE_URL, or name a model of another provider.",
      });
    }
  }
  choosePrimary();
  const through = PROVIDERS.filter(({ id }) => models[id]?.gateway !== undefined);
  if (gateway !== undefined || through.length > 0) {
    notes.push(
      `Model calls go through Cloudflare AI Gateway: ${through.map(({ title }) => title).join(", ") || "none yet, because no key is set"}.`,
    );
  }
  if (PROVIDERS.every(({ id }) => models[id] === undefined)) {
    notes.push(
      "No model provider is set: set ANTHROPIC_API_KEY, OPENAI_API_KEY or OPENAI_BASE_URL.",
    );
  }
  return { models, notes };

  function choosePrimary(): void {
    const chosen = read("MODEL", field.model) ?? gateway?.model;
    const first = PROVIDERS.find(({ id }) => models[id] !== undefined);
    if (chosen === undefined) {
      if (first === undefined) return;
      models.primary = DEFAULT_MODELS[first.id] ?? "";
      if (first.id === "openai" && models.openai?.compatible === true && !text.has("MODEL")) {
        problems.push({
          name: "MODEL",
          problem: `is not set, and ${addresses.openai === undefined ? "AI_GATEWAY_BASE_URL" : "OPENAI_BASE_URL"} names a server whose models are not known here`,
          mend: "Set MODEL to openai/<a model of that server>.",
        });
      }
      return;
    }
    models.primary = chosen.full;
    const provider = chosen.provider === "compat" ? "openai" : chosen.provider;
    if (first !== undefined && models[provider] === undefined) {
      problems.push({
        name: text.has("MODEL") ? "MODEL" : "CF_AI_GATEWAY_MODEL",
        problem: `names a model of ${provider}, for which no key is set`,
        mend: `Set ${providerOf(provider)?.settings ?? KEYS[provider]}, or name a model of the provider that has a key.`,
      });
    }
  }
}

/** What must never show in a log or a reply. */
export function modelSecrets(models: AiConfig): string[] {
  return PROVIDERS.flatMap(({ id }) => {
    const access = models[id];
    return [access?.apiKey, access?.gateway?.token].filter((secret) => secret !== undefined);
  });
}

function readGateway(text: Text, read: Read, problems: ConfigProblem[]): Gateway | undefined {
  const account = read("CF_AI_GATEWAY_ACCOUNT_ID", field.id);
  const gateway = read("CF_AI_GATEWAY_GATEWAY_ID", field.id);
  const model = read("CF_AI_GATEWAY_MODEL", gatewayModel);
  const key = text.get("CLOUDFLARE_AI_GATEWAY_API_KEY");
  const token = text.get(TOKEN);
  const pair = ["CF_AI_GATEWAY_ACCOUNT_ID", "CF_AI_GATEWAY_GATEWAY_ID"];
  const missing = pair.filter((name) => !text.has(name));
  if (missing.length === 0) {
    if (account === undefined || gateway === undefined) return undefined;
    return {
      url: `${CLOUDFLARE_GATEWAY}/${account}/${gateway}`,
      ...(token === undefined ? {} : { token }),
      ...(key === undefined ? {} : { key }),
      ...(model === undefined ? {} : { model }),
    };
  }
  const given = [...pair, "CLOUDFLARE_AI_GATEWAY_API_KEY", TOKEN, "CF_AI_GATEWAY_MODEL"];
  const set = given.filter((name) => text.has(name) && !(name === TOKEN && namesGateway(text)));
  // The account alone may be there for Workers AI.
  const alone = set.length === 1 && set[0] === "CF_AI_GATEWAY_ACCOUNT_ID";
  if (set.length > 0 && !(alone && text.has("WORKERS_AI_API_TOKEN"))) {
    for (const name of missing) {
      problems.push({
        name,
        problem: `is not set, and ${set.join(", ")} need it`,
        mend: "Set it as the dashboard shows it under AI Gateway, or remove the others.",
      });
    }
  }
  return undefined;
}

function throughGateway(
  { url, token, key, model }: Gateway,
  id: ProviderId,
  path: string,
  own: string | undefined,
): Access | undefined {
  const keyed = model?.provider ?? "anthropic";
  const apiKey = own ?? (keyed === id ? key : undefined);
  // With a token alone the gateway adds keys of its own: stored ones, or its unified billing.
  if (apiKey === undefined && token === undefined) return undefined;
  return {
    ...(apiKey === undefined ? {} : { apiKey }),
    baseUrl: `${url}${path}`,
    gateway: token === undefined ? {} : { token },
  };
}

/** Any other provider of the gateway: its own OpenAI-compatible face names the provider in the model. */
function compat({ url, token, key }: Gateway): NonNullable<AiConfig["openai"]> {
  return {
    ...(key === undefined ? {} : { apiKey: key }),
    baseUrl: `${url}/compat`,
    compatible: true,
    gateway: token === undefined ? {} : { token },
  };
}

function gatewayModel(text: string): Field<NonNullable<Gateway["model"]>> {
  const [, name = "", model = ""] = /^([\w-]+)\/([\w.:@+/-]{1,200})$/.exec(text.trim()) ?? [];
  if (model === "") {
    return {
      ok: false,
      problem: "does not name a provider and a model",
      mend: "Write provider/model, such as workers-ai/@cf/openai/gpt-oss-120b.",
    };
  }
  const provider = CLOUDFLARE_NAMES[name] ?? PROVIDERS.find(({ id }) => id === name)?.id;
  return provider === undefined
    ? { ok: true, value: { provider: "compat", full: `openai/${name}/${model}` } }
    : { ok: true, value: { provider, full: `${provider}/${model}` } };
}
