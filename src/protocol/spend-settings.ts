/**
 * What an admin sets for model calls: routing, caps, prices, the answer cache, alerts. Money is US
 * dollars; days are UTC.
 */
import * as z from "zod";

/** `provider/model`, as in `MODEL`; the model's own name may hold slashes. */
export const modelRef = z
  .string()
  .regex(/^[a-z][a-z-]{1,30}\/[\w.:@+/-]{1,200}$/, "write provider/model");

/** `provider/model` or, for all models of a provider whose name begins so, `provider/prefix*`. */
const modelPattern = z
  .string()
  .regex(/^[a-z][a-z-]{1,30}\/(?:[\w.:@+/-]{1,200}\*?|\*)$/, "write provider/model or provider/*");

export const routingSettings = z.strictObject({
  /** In place of the configured model; absent: the configuration's. */
  primary: modelRef.optional(),
  /** Tried in this order when the model that was asked for does not answer. */
  fallbacks: z.array(modelRef).max(8).default([]),
  /**
   * How long a model may take to its first byte while another place is left; the last one has the
   * provider's own time. Absent: 20 for a stream of a hosted model, the provider's own for the rest.
   */
  patienceSeconds: z.number().min(1).max(600).optional(),
});
export type RoutingSettings = z.infer<typeof routingSettings>;

const usd = z.number().positive().max(1_000_000);
const tokens = z.number().int().positive().max(1_000_000_000_000);

/** What is absent is not capped. */
export const capSettings = z.strictObject({
  dayUsd: usd.optional(),
  monthUsd: usd.optional(),
  dayTokens: tokens.optional(),
  monthTokens: tokens.optional(),
});
export type CapSettings = z.infer<typeof capSettings>;

const perMillion = z.number().nonnegative().max(1_000_000);

/** Dollars for a million tokens. */
export const priceOverride = z.strictObject({
  model: modelPattern,
  input: perMillion,
  output: perMillion,
  /** Absent: as `input`. */
  cacheRead: perMillion.optional(),
  cacheWrite: perMillion.optional(),
});
export type PriceOverride = z.infer<typeof priceOverride>;

/** What a token is counted at while nobody knows its price. */
export const worstCasePrice = z.strictObject({ input: perMillion, output: perMillion });
export type WorstCasePrice = z.infer<typeof worstCasePrice>;

export const DEFAULT_WORST_CASE: WorstCasePrice = { input: 30, output: 180 };

export const cacheSettings = z.strictObject({
  enabled: z.boolean(),
  ttlSeconds: z
    .number()
    .int()
    .min(1)
    .max(30 * 86_400)
    .default(3600),
  /** All cached answers together. */
  maxBytes: z
    .number()
    .int()
    .min(1)
    .max(256 * 1_048_576)
    .default(32 * 1_048_576),
});
export type CacheSettings = z.infer<typeof cacheSettings>;

/** Excerpts of prompts and answers, for looking into what an agent was asked and said. */
export const textSettings = z.strictObject({
  enabled: z.boolean(),
  days: z.number().int().min(1).max(90).default(7),
});
export type TextSettings = z.infer<typeof textSettings>;

/** Gets a JSON POST at 50, 80 and 100 % of a cap. Loopback may be plain http. */
const webhookUrl = z
  .url({ protocol: /^https?$/ })
  .max(2000)
  .refine(isSafeWebhook, {
    message: "use https, or http on this machine, without user and password",
  });

export const spendSettings = z.strictObject({
  caps: capSettings,
  prices: z.array(priceOverride).max(200),
  worstCase: worstCasePrice,
  cache: cacheSettings,
  texts: textSettings,
  /** Write-only: answers say whether one is set, and its host. `null` takes it away. */
  webhookUrl: webhookUrl.nullable(),
});
export type SpendSettings = z.infer<typeof spendSettings>;

/** `PUT /api/spend/settings`: what is absent stays as it is. */
export const spendSettingsChange = spendSettings.partial();
export type SpendSettingsChange = z.infer<typeof spendSettingsChange>;

/** `POST /api/spend/raise`; an empty body allows the day's cap once more. Ends with the day. */
export const raiseRequest = z.strictObject({ usd: usd.optional(), tokens: tokens.optional() });
export type RaiseRequest = z.infer<typeof raiseRequest>;

function isSafeWebhook(text: string): boolean {
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") return false;
  return url.protocol === "https:" || ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
}
