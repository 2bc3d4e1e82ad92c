/**
 * Model calls as the sandbox makes them, without the sandbox: the AI gateway in a Worker alone, its
 * spend room in a Durable Object, and the admin API that shows it.
 */
import { DurableObject } from "cloudflare:workers";
import { z } from "zod";
import { capSettings, priceOverride } from "../../src/protocol/spend-settings.ts";
import { spendApi } from "../../src/worker/ai/api.ts";
import { answerModelCall } from "../../src/worker/ai/gateway.ts";
import type { SpendCalls } from "../../src/worker/ai/ledger/calls.ts";
import { SpendRoom } from "../../src/worker/ai/ledger/spend-room.ts";
import { createLogger } from "../../src/worker/logger.ts";
import { redactor } from "../../src/worker/redaction.ts";

interface Env {
  /** JSON of `settings`. */
  SETTINGS: string;
  SPEND: { getByName(name: string): { spend: SpendCalls } };
  INTERNET: { fetch: typeof fetch };
}

const access = z.object({
  apiKey: z.string().exactOptional(),
  baseUrl: z.string(),
  gateway: z.object({ token: z.string().exactOptional() }).exactOptional(),
});
const settings = z.object({
  config: z.object({
    anthropic: access.exactOptional(),
    openai: access.extend({ compatible: z.boolean() }).exactOptional(),
    google: access.exactOptional(),
    openrouter: access.exactOptional(),
    "workers-ai": access.exactOptional(),
  }),
  configured: z.string(),
  caps: capSettings,
  prices: z.array(priceOverride),
  firstByteMs: z.number().optional(),
  bodyMs: z.number().optional(),
  idleMs: z.number().optional(),
  maxRequestBytes: z.number().optional(),
});

/** Once, as the product reads its own. */
let read: z.infer<typeof settings> | undefined;
const settingsOf = (env: Env) => (read ??= settings.parse(JSON.parse(env.SETTINGS)));

export class Spend extends DurableObject<Env> {
  readonly room: SpendRoom;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { config, configured, caps, prices } = settingsOf(env);
    this.room = new SpendRoom({
      sql: ctx.storage.sql,
      agentId: "main",
      config,
      configured,
      defaults: { caps, prices },
      held: () => false,
      waitUntil: (work) => ctx.waitUntil(work),
      fetch: (input, init) => fetch(input, init),
      now: Date.now,
    });
  }

  get spend(): SpendRoom {
    return this.room;
  }
}

export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    const { config, firstByteMs, bodyMs, idleMs, maxRequestBytes } = settingsOf(env);
    const { spend } = env.SPEND.getByName("main");
    if (new URL(request.url).pathname.startsWith("/api/")) return spendApi(request, spend, config);
    return answerModelCall(request, {
      config,
      hold: { ask: async () => undefined, refusal: () => new Response(null, { status: 403 }) },
      agentId: "main",
      startGeneration: 1,
      spend,
      fetch: (input, init) => env.INTERNET.fetch(input, init),
      waitUntil: (work) => ctx.waitUntil(work),
      // No secret is known to this logger: nothing may depend on it to hide a key.
      log: createLogger([]),
      redact: redactor([]),
      ...(firstByteMs === undefined ? {} : { firstByteMs }),
      ...(bodyMs === undefined ? {} : { bodyMs }),
      ...(idleMs === undefined ? {} : { idleMs }),
      ...(maxRequestBytes === undefined ? {} : { maxRequestBytes }),
    });
  },
};
