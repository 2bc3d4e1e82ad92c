/**
 * What the admin page and the Worker say to each other about model calls: the ledger, the caps'
 * meters, the providers. Money is US dollars, times are milliseconds, moments are milliseconds since
 * the epoch, days are UTC, `YYYY-MM-DD`.
 */
import * as z from "zod";
import { doneReply, type Endpoint } from "./admin.ts";
import {
  priceOverride,
  raiseRequest,
  routingSettings,
  spendSettings,
  spendSettingsChange,
} from "./spend-settings.ts";

export const callsQuery = z.object({
  /** Rows older than this one, by its `n`. */
  before: z.coerce.number().int().positive().optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
export type CallsQuery = z.infer<typeof callsQuery>;

/**
 * `open`: under way, or not yet told. `settled`: counted from the provider's own numbers.
 * `estimated`: the stream broke off, what it may have written is an upper bound. `unsettled`: nobody
 * told the end, counted in full. `free`: not charged (refused by the provider, never sent, or from the cache).
 */
export const CALL_STATES = ["open", "settled", "estimated", "unsettled", "free"] as const;
export type CallState = (typeof CALL_STATES)[number];

/** The way out: straight to the provider, through Cloudflare AI Gateway, or none. */
export const CALL_ROUTES = ["direct", "cloudflare", "cache"] as const;

/** One call to one provider; a retry or a fallback is a row of its own with the same `requestId`. */
export const spendCall = z.object({
  /** Grows with each call. */
  n: z.number(),
  at: z.number(),
  requestId: z.string(),
  attempt: z.number(),
  channel: z.string().optional(),
  provider: z.string(),
  model: z.string(),
  wire: z.string(),
  route: z.enum(CALL_ROUTES),
  state: z.enum(CALL_STATES),
  /** Absent while open and when there was no answer. */
  status: z.number().optional(),
  /** Why there was no good answer, in one word. */
  reason: z.string().optional(),
  stream: z.boolean(),
  cached: z.boolean(),
  /** All of the input's tokens, cached or not. */
  input: z.number(),
  output: z.number(),
  cacheRead: z.number(),
  cacheWrite: z.number(),
  /** Part of `output`. */
  reasoning: z.number(),
  /** What is counted against the caps. */
  usd: z.number(),
  /** False: the price is unknown and the worst case was counted. */
  priceKnown: z.boolean(),
  firstByteMs: z.number().optional(),
  totalMs: z.number().optional(),
  /** The provider's own id of the call. */
  providerRequestId: z.string().optional(),
  /** Excerpts of it were kept. */
  texts: z.boolean(),
});
export type SpendCall = z.infer<typeof spendCall>;

/** The end of the last message that was sent, and the beginning of what came back. */
export const callTexts = z.object({ prompt: z.string(), answer: z.string() });
export type CallTexts = z.infer<typeof callTexts>;

const spendSums = z.object({
  calls: z.number(),
  failed: z.number(),
  cached: z.number(),
  tokens: z.number(),
  usd: z.number(),
  /** Part of `usd` that is counted at the worst case, since no price is known. */
  unknownPriceUsd: z.number(),
  /** Part of `usd` that is an upper bound: broken-off streams and calls nobody settled. */
  boundUsd: z.number(),
});
export type SpendSums = z.infer<typeof spendSums>;

/** The calls of a day to one model for one channel together: kept when their rows are gone. */
export interface SpendDay extends SpendSums {
  day: string;
  provider: string;
  model: string;
  /** Empty where it is not known. */
  channel: string;
}
export interface DaysQuery {
  limit: number;
  /** The one that they follow. */
  after?: Pick<SpendDay, "day" | "provider" | "model" | "channel">;
}

const period = z.enum(["day", "month"]);
const unit = z.enum(["usd", "tokens"]);

const capMeter = z.object({
  period,
  unit,
  /** With what was raised for today. */
  cap: z.number(),
  raised: z.number(),
  /** Settled calls. */
  spent: z.number(),
  /** Calls under way, at their upper bound. */
  reserved: z.number(),
});
export type CapMeter = z.infer<typeof capMeter>;

/** Who may be told: a webhook, and the owner on a chat platform. */
export const ALERT_TAKERS = ["webhook", "owner"] as const;
export type AlertTaker = (typeof ALERT_TAKERS)[number];

const spendAlert = z.object({
  at: z.number(),
  period,
  unit,
  /** Of the cap, settled calls alone; absent: a call was refused, because it did not fit into the rest. */
  percent: z.literal([50, 80, 100]).optional(),
  /** Whether somebody took it; absent when it was not tried yet, or there is nobody. */
  delivered: z.boolean().optional(),
  /** Who took it; absent where that was not noted. */
  told: z.array(z.enum(ALERT_TAKERS)).optional(),
});
export type SpendAlert = z.infer<typeof spendAlert>;

const shownPrice = z.object({
  model: z.string(),
  own: z.boolean(),
  /** Dollars for a million tokens; absent: unknown. */
  input: z.number().optional(),
  output: z.number().optional(),
});

const priceTable = z.object({
  source: z.string(),
  /** Day of the price data. */
  date: z.string(),
  /** Of the models used lately and of the routes. */
  models: z.array(shownPrice),
});
export type PriceTable = z.infer<typeof priceTable>;

const shownSettings = spendSettings.omit({ webhookUrl: true }).extend({
  /** Those that the configuration sets; `prices` are the admin's own and go before them. */
  configuredPrices: z.array(priceOverride),
  /** The host only; the address may hold a secret. */
  webhookHost: z.string().optional(),
});

export const spendOverview = z.object({
  agentId: z.string(),
  now: z.number(),
  day: z.string(),
  today: spendSums,
  month: spendSums,
  meters: z.array(capMeter),
  alerts: z.array(spendAlert),
  /** The last 31 days that had calls, oldest first. */
  trend: z.array(spendSums.extend({ day: z.string() })),
  /** This month, dearest first. */
  byModel: z.array(spendSums.extend({ provider: z.string(), model: z.string() })),
  byChannel: z.array(spendSums.extend({ channel: z.string() })),
  /** The last 24 hours. */
  byStatus: z.array(z.object({ status: z.string(), calls: z.number() })),
  latency: z.object({
    calls: z.number(),
    firstByteP50: z.number().optional(),
    firstByteP95: z.number().optional(),
    totalP50: z.number().optional(),
  }),
  prices: priceTable,
  settings: shownSettings,
});
export type SpendOverview = z.infer<typeof spendOverview>;

export const modelsOverview = z.object({
  /** `provider/model` of the configuration. */
  configured: z.string(),
  routing: routingSettings,
  /** Fallbacks that no call for the primary goes to: of another format, or not set up. */
  unfit: z.array(z.string()),
  providers: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      ready: z.boolean(),
      /** What would make it ready. */
      settings: z.string(),
      wires: z.array(z.string()),
      route: z.enum(["direct", "cloudflare"]),
      /** Skipped until then because it kept failing. */
      skippedUntil: z.number().optional(),
    }),
  ),
});
export type ModelsOverview = z.infer<typeof modelsOverview>;

export const routingReply = z.object({
  ok: z.literal(true),
  routing: routingSettings,
  /** The new primary speaks another wire format: the agent follows at its next start. */
  afterRestart: z.boolean(),
});
export type RoutingReply = z.infer<typeof routingReply>;

export const checkBody = z.strictObject({ provider: z.string().max(40) });
/** What the provider itself said to the key. */
export const providerCheck = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true) }),
  z.object({
    ok: z.literal(false),
    reason: z.enum(["not-configured", "key-refused", "unreachable", "unexpected"]),
    /** Of the provider's answer. */
    status: z.number().optional(),
  }),
]);
export type ProviderCheck = z.infer<typeof providerCheck>;

export const SPEND_API = {
  overview: { method: "GET", path: "/api/spend", reply: spendOverview },
  calls: {
    method: "GET",
    path: "/api/spend/calls",
    reply: z.object({ calls: z.array(spendCall) }),
  },
  texts: { method: "GET", path: "/api/spend/calls/:id/texts", reply: callTexts },
  change: {
    method: "PUT",
    path: "/api/spend/settings",
    body: spendSettingsChange,
    reply: doneReply,
  },
  raise: { method: "POST", path: "/api/spend/raise", body: raiseRequest, reply: doneReply },
  models: { method: "GET", path: "/api/models", reply: modelsOverview },
  check: { method: "POST", path: "/api/models/check", body: checkBody, reply: providerCheck },
  route: { method: "PUT", path: "/api/models/routing", body: routingSettings, reply: routingReply },
} satisfies Record<string, Endpoint<unknown>>;
