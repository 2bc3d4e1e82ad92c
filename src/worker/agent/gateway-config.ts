/**
 * The exact text of the gateway's `openclaw.json`. Pure: the same settings give the same bytes,
 * because the gateway takes 3–6 s longer on the first start after the content changed.
 *
 * It holds no secret. The gateway's own token is a reference to a file that the supervisor writes,
 * the provider keys are a placeholder: the Worker puts the real one in place on the way out.
 */
import { TURN_HEADER } from "../ai/turn-refusals.ts";
import { channelsConfig } from "../channels/gateway-config.ts";
import type { ChannelSettings } from "../channels/settings.ts";
import type { HostPattern } from "../egress/pattern.ts";
import { INTERNAL_HOSTS, SANDBOX_PORTS } from "../../protocol/names.ts";

/** The part of the Worker's `Config` that the gateway's configuration follows. */
export interface GatewaySettings {
  models: {
    anthropic?: object;
    openai?: { compatible: boolean };
    google?: object;
    openrouter?: object;
    "workers-ai"?: object;
    /** `provider/model`. */
    primary: string;
  };
  channels: ChannelSettings;
  /** Origins under which people open the Control UI. */
  workerOrigins: readonly string[];
  /** Whether the sandbox is put to sleep when nothing happens. */
  sleeps: boolean;
  /** Undefined when there is no browser for the agent. */
  browser:
    | {
        /** Hosts of a private network that pages may come from all the same. */
        private: readonly HostPattern[];
      }
    | undefined;
}

export const GATEWAY_TOKEN_PATH = "/run/moltworker/agent/gateway-token";
/** Where the image keeps the skills that a person adds. */
const SKILLS_DIR = "/opt/moltworker/skills";
/** Not a key: what the gateway sends where a provider wants one. */
export const PLACEHOLDER_KEY = "moltworker";
/** A provider name of our own, so that no rule of the gateway for OpenAI's models applies. */
const COMPATIBLE = "compatible";
/** Tells the calls of a turn from those that the agent's programs make. */
const HEADERS = { [TURN_HEADER]: "1" };

export function gatewayConfig(settings: GatewaySettings): string {
  const token = { source: "file", provider: "gatewaytoken", id: "value" } as const;
  const config = {
    secrets: {
      providers: {
        gatewaytoken: { source: "file", path: GATEWAY_TOKEN_PATH, mode: "singleValue" },
      },
    },
    gateway: {
      mode: "local",
      port: SANDBOX_PORTS.gateway,
      bind: "loopback",
      auth: { mode: "token", token },
      trustedProxies: ["127.0.0.1", "::1"],
      nodes: { pairing: { autoApproveLocal: false, sshVerify: false } },
      controlUi: { allowedOrigins: allowedOrigins(settings.workerOrigins) },
    },
    update: { checkOnStart: false },
    telemetry: { enabled: false },
    models: {
      catalogRefresh: { enabled: false },
      providers: providers(settings.models),
    },
    memory: { search: { enabled: false } },
    browser: browser(settings.browser),
    skills: { load: { extraDirs: [SKILLS_DIR] } },
    agents: {
      defaults: {
        model: { primary: primary(settings.models) },
        // A turn every half hour to see whether anything is to be done would wake a sleeper for it.
        ...(settings.sleeps ? { heartbeat: { every: "0m" } } : {}),
      },
    },
    ...channelsConfig(settings.channels, token),
  };
  return `${JSON.stringify(config, sortedKeys, 2)}\n`;
}

/** The debugging port that the supervisor offers; the sandbox has no browser of its own. */
function browser(settings: GatewaySettings["browser"]): object {
  if (settings === undefined) return { enabled: false };
  // The gateway has a guard of its own, which knows exact names alone.
  const allowedHostnames = settings.private.flatMap(({ kind, host }) =>
    kind === "exact" ? [host.replace(/^\[|\]$/g, "")] : [],
  );
  const cdpUrl = `http://127.0.0.1:${SANDBOX_PORTS.browser}`;
  return {
    enabled: true,
    defaultProfile: "moltworker",
    profiles: { moltworker: { cdpUrl, attachOnly: true } },
    ...(allowedHostnames.length === 0
      ? {}
      : { ssrfPolicy: { allowedHostnames: [...new Set(allowedHostnames)].toSorted() } }),
  };
}

/** Sorted and without doubles; a loopback origin is listed under each of its names. */
function allowedOrigins(origins: readonly string[]): string[] {
  const all = origins.flatMap((origin) => {
    const url = new URL(origin);
    if (url.hostname !== "127.0.0.1" && url.hostname !== "localhost") return [url.origin];
    const port = url.port === "" ? "" : `:${url.port}`;
    return [`${url.protocol}//127.0.0.1${port}`, `${url.protocol}//localhost${port}`];
  });
  return [...new Set(all)].toSorted();
}

function providers(models: GatewaySettings["models"]): Record<string, object> {
  const list: Record<string, object> = {};
  // With no provider at all the gateway still reaches the Worker, which answers what is missing.
  const others = [models.openai, models.google, models.openrouter, models["workers-ai"]];
  if (models.anthropic !== undefined || others.every((other) => other === undefined)) {
    list["anthropic"] = { ...ours("/anthropic"), models: [] };
  }
  if (models.openai?.compatible === false) {
    list["openai"] = { ...ours("/openai/v1", "openai-responses"), models: [] };
  }
  if (models.openai?.compatible === true) {
    const id = modelId(models.primary);
    list[COMPATIBLE] = {
      ...ours("/openai/v1", "openai-completions"),
      models: isOpenai(models.primary) ? [{ id, name: id }] : [],
    };
  }
  const { google, openrouter, "workers-ai": workersAi } = models;
  if (google !== undefined) {
    list["google"] = { ...ours("/google/v1beta", "google-generative-ai"), models: [] };
  }
  if (openrouter !== undefined) {
    list["openrouter"] = { ...ours("/openrouter/v1", "openai-completions"), models: [] };
  }
  // The gateway knows no model of this provider by itself.
  if (workersAi !== undefined && models.primary.startsWith("workers-ai/")) {
    const id = modelId(models.primary);
    list["workers-ai"] = {
      ...ours("/workers-ai/v1", "openai-completions"),
      models: [{ id, name: id }],
    };
  }
  return list;
}

function ours(path: string, api?: string) {
  const baseUrl = `http://${INTERNAL_HOSTS.ai}${path}`;
  const provider = { baseUrl, apiKey: PLACEHOLDER_KEY, headers: HEADERS };
  return api === undefined ? provider : { ...provider, api };
}

function primary(models: GatewaySettings["models"]): string {
  return models.openai?.compatible === true && isOpenai(models.primary)
    ? `${COMPATIBLE}/${modelId(models.primary)}`
    : models.primary;
}

function isOpenai(model: string): boolean {
  return model.startsWith("openai/");
}

function modelId(model: string): string {
  return model.slice(model.indexOf("/") + 1);
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
