/**
 * Model calls as the sandbox makes them, without the sandbox: the AI gateway in a Worker alone, its
 * spend room in a Durable Object, and the admin API that shows it.
 */
import { DurableObject } from "cloudflare:workers";
import { z } from "zod";
import { capSettings, priceOverride } from "../../src/protocol/spend-settings.ts";
import { spendApi } from "../../src/worker/ai/api.ts";
import { answerModelCall } from "../../src/worker/ai/gateway.ts";
import { SpendRoom } from "../../src/worker/ai/ledger/spend-room.ts";
import { createLogger } from "../../src/worker/logger.ts";
import { redactor } from "../../src/worker/redaction.ts";

const access = z.object({
  apiKey: z.string().optional(),
  baseUrl: z.string(),
  gateway: z.object({ token: z.string().optional() }).optional(),
});
const settings = z.object({
  config: z.object({
    anthropic: access.optional(),
    openai: access.extend({ compatible: z.boolean() }).optional(),
    google: access.optional(),
    openrouter: access.optional(),
    "workers-ai": access.optional(),
  }),
  configured: z.string(),
  caps: capSettings,
  prices: z.array(priceOverride),
  firstByteMs: z.number().optional(),
  idleMs: z.number().optional(),
  maxRequestBytes: z.number().optional(),
});

/** Once, as the product reads its own. */
let read;
const settingsOf = (env) => (read ??= settings.parse(JSON.parse(env.SETTINGS)));

export class Spend extends DurableObject {
  room;

  constructor(ctx, env) {
    super(ctx, env);
    const { config, configured, caps, prices } = settingsOf(env);
    this.room = new SpendRoom({
      sql: ctx.storage.sql,
      agentId: "main",
      config,
      configured,
      defaults: { caps, prices },
      waitUntil: (work) => ctx.waitUntil(work),
      fetch: (input, init) => fetch(input, init),
      now: Date.now,
    });
  }

  get spend() {
    return this.room;
  }
}

export default {
  async fetch(request, env, ctx) {
    const { config, firstByteMs, idleMs, maxRequestBytes } = settingsOf(env);
    const { spend } = env.SPEND.getByName("main");
    if (new URL(request.url).pathname.startsWith("/api/")) return spendApi(request, spend, config);
    return answerModelCall(request, {
      config,
      agentId: "main",
      startGeneration: 1,
      spend,
      fetch: (input, init) => env.INTERNET.fetch(input, init),
      waitUntil: (work) => ctx.waitUntil(work),
      // No secret is known to this logger: nothing may depend on it to hide a key.
      log: createLogger([]),
      redact: redactor([]),
      ...(firstByteMs === undefined ? {} : { firstByteMs }),
      ...(idleMs === undefined ? {} : { idleMs }),
      ...(maxRequestBytes === undefined ? {} : { maxRequestBytes }),
    });
  },
};
