/**
 * The model providers as data: which paths are answered and in which wire format, where they go,
 * how the key travels, and which headers cross the Worker. Another provider is another entry.
 *
 * Fails closed: a path, a method or a header that is not listed does not pass.
 */
import type { WireName } from "./wire.ts";

export const PROVIDER_IDS = ["anthropic", "openai", "google", "openrouter", "workers-ai"] as const;
export type ProviderId = (typeof PROVIDER_IDS)[number];

/** How one provider is reached. */
export interface Access {
  /** Absent: a server that wants none, or keys that Cloudflare AI Gateway keeps. */
  apiKey?: string;
  /** As the provider's own clients take it: Anthropic's without `/v1`, the others' with theirs. */
  baseUrl: string;
  /** Set when `baseUrl` is Cloudflare AI Gateway; the token is for an authenticated gateway. */
  gateway?: { token?: string };
}

/** The part of the Worker's configuration that model calls follow. */
export interface AiConfig {
  anthropic?: Access;
  /** `compatible`: some other server that speaks OpenAI's formats. */
  openai?: Access & { compatible: boolean };
  google?: Access;
  openrouter?: Access;
  "workers-ai"?: Access;
}

/** In whose words an error is told; several providers may share one. */
export type ErrorFormat = "anthropic" | "openai" | "google";

export interface Endpoint {
  method: "GET" | "POST";
  /** Below the provider's prefix; `{id}` stands for one segment, or for what precedes a colon. */
  path: string;
  /** What is spoken there; absent where a call costs nothing and is passed on as it is. */
  wire?: WireName;
}

export interface HeaderRules {
  names: readonly string[];
  prefixes: readonly string[];
}

/** Where a call goes and with which key. */
export interface Upstream extends Access {
  /** Milliseconds until the first byte must have arrived. */
  firstByteMs: number;
  /** The same for a stream that another place could answer, while nobody set it; absent: no less. */
  patienceMs?: number;
}

export interface Provider {
  id: ProviderId;
  title: string;
  errors: ErrorFormat;
  /** Inbound paths begin with it. */
  prefix: string;
  endpoints: readonly Endpoint[];
  /** Names of the settings that configure it, for the error that says so. */
  settings: string;
  /** Its section of Cloudflare AI Gateway, as a base address of this provider. */
  gatewayPath: string;
  /** Its own address. */
  home: string;
  /** Its name in the price data. */
  pricesId: string;
  upstream(config: AiConfig): Upstream | undefined;
  authorize(headers: Headers, apiKey: string): void;
  /** Below the base address: answers only whom it knows by the key, and costs nothing. */
  check: string;
  requestHeaders: HeaderRules;
  responseHeaders: HeaderRules;
}

/** The SDKs and the gateway wait this long for headers; an answer after that has no reader. */
const HOSTED_FIRST_BYTE_MS = 300_000;
/** Hosted models begin their streams within a few seconds, with a long prompt within some more. */
const HOSTED_PATIENCE_MS = 20_000;
/** A model on a processor alone may read a long prompt for minutes before its first token. */
const OWN_SERVER_FIRST_BYTE_MS = 600_000;

const REQUEST_HEADERS = ["accept", "content-type", "idempotency-key", "user-agent"];
const RESPONSE_HEADERS = [
  "cache-control",
  "cf-aig-cache-status",
  "cf-aig-log-id",
  "content-encoding",
  "content-type",
  "request-id",
  "retry-after",
  "retry-after-ms",
  "x-request-id",
  "x-should-retry",
];

const bearer = (headers: Headers, apiKey: string) =>
  headers.set("authorization", `Bearer ${apiKey}`);
const hosted = (access: Access | undefined) =>
  access && { ...access, firstByteMs: HOSTED_FIRST_BYTE_MS, patienceMs: HOSTED_PATIENCE_MS };

const OPENAI_REQUEST_HEADERS: HeaderRules = {
  // Not openai-organization and -project: whose account pays is the key holder's choice.
  names: [...REQUEST_HEADERS, "openai-beta", "x-client-request-id"],
  prefixes: [],
};
const OPENAI_RESPONSE_HEADERS: HeaderRules = {
  names: [...RESPONSE_HEADERS, "openai-model", "openai-processing-ms", "openai-version"],
  prefixes: ["x-ratelimit-"],
};

export const PROVIDERS: readonly Provider[] = [
  {
    id: "anthropic",
    title: "Anthropic",
    errors: "anthropic",
    prefix: "/anthropic/v1",
    // https://docs.claude.com/en/api/messages
    endpoints: [
      { method: "POST", path: "/messages", wire: "messages" },
      { method: "POST", path: "/messages/count_tokens" },
      { method: "GET", path: "/models" },
      { method: "GET", path: "/models/{id}" },
    ],
    settings: "ANTHROPIC_API_KEY",
    gatewayPath: "/anthropic",
    home: "https://api.anthropic.com",
    pricesId: "anthropic",
    upstream: ({ anthropic }) =>
      // Both spellings of the base address are in use.
      hosted(
        anthropic && { ...anthropic, baseUrl: `${anthropic.baseUrl.replace(/\/v1$/, "")}/v1` },
      ),
    authorize: (headers, apiKey) => headers.set("x-api-key", apiKey),
    check: "/models?limit=1",
    requestHeaders: {
      names: [...REQUEST_HEADERS, "anthropic-version", "anthropic-beta"],
      prefixes: [],
    },
    responseHeaders: { names: RESPONSE_HEADERS, prefixes: ["anthropic-ratelimit-"] },
  },
  {
    id: "openai",
    title: "OpenAI",
    errors: "openai",
    prefix: "/openai/v1",
    // https://platform.openai.com/docs/api-reference
    endpoints: [
      { method: "POST", path: "/chat/completions", wire: "chat" },
      { method: "POST", path: "/responses", wire: "responses" },
      { method: "POST", path: "/embeddings", wire: "embeddings" },
      { method: "GET", path: "/models" },
      { method: "GET", path: "/models/{id}" },
    ],
    settings: "OPENAI_API_KEY / OPENAI_BASE_URL",
    gatewayPath: "/openai",
    home: "https://api.openai.com/v1",
    pricesId: "openai",
    upstream({ openai }) {
      if (openai === undefined) return undefined;
      const { compatible, ...access } = openai;
      return compatible ? { ...access, firstByteMs: OWN_SERVER_FIRST_BYTE_MS } : hosted(access);
    },
    authorize: bearer,
    check: "/models",
    requestHeaders: OPENAI_REQUEST_HEADERS,
    responseHeaders: OPENAI_RESPONSE_HEADERS,
  },
  {
    id: "google",
    title: "Google Gemini",
    errors: "google",
    prefix: "/google/v1beta",
    // https://ai.google.dev/api
    endpoints: [
      { method: "POST", path: "/models/{id}:generateContent", wire: "gemini" },
      { method: "POST", path: "/models/{id}:streamGenerateContent", wire: "gemini-stream" },
      { method: "POST", path: "/models/{id}:countTokens" },
      { method: "POST", path: "/models/{id}:embedContent", wire: "gemini-embedding" },
      { method: "POST", path: "/models/{id}:batchEmbedContents", wire: "gemini-embedding" },
      { method: "GET", path: "/models" },
      { method: "GET", path: "/models/{id}" },
    ],
    settings: "GEMINI_API_KEY",
    gatewayPath: "/google-ai-studio/v1beta",
    home: "https://generativelanguage.googleapis.com/v1beta",
    pricesId: "google",
    upstream: ({ google }) => hosted(google),
    authorize: (headers, apiKey) => headers.set("x-goog-api-key", apiKey),
    check: "/models?pageSize=1",
    requestHeaders: { names: [...REQUEST_HEADERS, "x-goog-api-client"], prefixes: [] },
    responseHeaders: { names: RESPONSE_HEADERS, prefixes: [] },
  },
  {
    id: "openrouter",
    title: "OpenRouter",
    errors: "openai",
    prefix: "/openrouter/v1",
    // https://openrouter.ai/docs/api-reference
    endpoints: [
      { method: "POST", path: "/chat/completions", wire: "chat" },
      { method: "POST", path: "/responses", wire: "responses" },
      { method: "POST", path: "/messages", wire: "messages" },
      { method: "POST", path: "/embeddings", wire: "embeddings" },
      { method: "GET", path: "/models" },
    ],
    settings: "OPENROUTER_API_KEY",
    gatewayPath: "/openrouter/v1",
    home: "https://openrouter.ai/api/v1",
    pricesId: "openrouter",
    upstream: ({ openrouter }) => hosted(openrouter),
    authorize: bearer,
    check: "/key",
    requestHeaders: {
      names: [...OPENAI_REQUEST_HEADERS.names, "anthropic-version", "anthropic-beta", "x-title"],
      prefixes: [],
    },
    responseHeaders: OPENAI_RESPONSE_HEADERS,
  },
  {
    id: "workers-ai",
    title: "Workers AI",
    errors: "openai",
    prefix: "/workers-ai/v1",
    // https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/
    endpoints: [
      { method: "POST", path: "/chat/completions", wire: "chat" },
      { method: "POST", path: "/responses", wire: "responses" },
      { method: "POST", path: "/embeddings", wire: "embeddings" },
    ],
    settings: "WORKERS_AI_API_TOKEN, CF_ACCOUNT_ID",
    gatewayPath: "/workers-ai/v1",
    // With `{account}` replaced.
    home: "https://api.cloudflare.com/client/v4/accounts/{account}/ai/v1",
    pricesId: "cloudflare",
    upstream: (config) => hosted(config["workers-ai"]),
    authorize: bearer,
    check: "/../models/search?per_page=1",
    requestHeaders: OPENAI_REQUEST_HEADERS,
    responseHeaders: OPENAI_RESPONSE_HEADERS,
  },
];

export function providerOf(id: string): Provider | undefined {
  return PROVIDERS.find((provider) => provider.id === id);
}
