/**
 * `/api/spend*` and `/api/models*`: what an admin sees and sets of model calls. The caller has been
 * verified before; bodies are JSON, so that no form of another site can send one.
 */
import { Hono, type Context } from "hono";
import * as z from "zod";
import type { AdminError } from "../../protocol/admin.ts";
import {
  raiseRequest,
  routingSettings,
  spendSettingsChange,
} from "../../protocol/spend-settings.ts";
import { callsQuery, checkBody } from "../../protocol/spend.ts";
import { boundedText } from "../bounded-text.ts";
import { within } from "../deadline.ts";
import { jsonReply, ownHeaders } from "../replies.ts";
import { checkProvider } from "./check.ts";
import { callsCsv } from "./csv.ts";
import type { SpendCalls } from "./ledger/calls.ts";
import { providerOf, type AiConfig } from "./providers.ts";

interface Bindings {
  Bindings: { spend: SpendCalls; config: AiConfig };
}

const CALL_DEADLINE_MS = 10_000;
const MAX_BODY_BYTES = 64 * 1024;

const api = new Hono<Bindings>();

api.get("/api/spend", async ({ env }) => ok(await call(env.spend.overview())));

api.get("/api/spend/calls", async ({ env, req }) => {
  const query = callsQuery.safeParse(req.query());
  if (!query.success) return fail(400, "invalid_query", "before and limit are whole numbers.");
  return ok({ calls: await call(env.spend.calls(query.data)) });
});

api.get("/api/spend/calls.csv", ({ env }) => {
  const body = callsCsv((before, limit) =>
    call(env.spend.calls({ limit, ...(before === undefined ? {} : { before }) })),
  );
  return new Response(body, {
    headers: ownHeaders({
      "Content-Type": "text/csv; charset=utf-8",
      "Content-Disposition": 'attachment; filename="model-calls.csv"',
    }),
  });
});

api.get("/api/spend/calls/:id{[1-9][0-9]{0,14}}/texts", async ({ env, req }) => {
  const texts = await call(env.spend.texts(Number(req.param("id"))));
  return texts === undefined
    ? fail(404, "no_texts", "Nothing is kept of what was said in that call.")
    : ok(texts);
});

api.put("/api/spend/settings", async (context) => {
  const change = await readBody(context, spendSettingsChange);
  if (change instanceof Response) return change;
  await call(context.env.spend.change(change));
  return ok({ ok: true });
});

api.post("/api/spend/raise", async (context) => {
  const raise = await readBody(context, raiseRequest);
  if (raise instanceof Response) return raise;
  const raised = await call(context.env.spend.raise(raise));
  return raised.ok ? ok(raised) : fail(409, "refused", raised.reason);
});

api.get("/api/models", async ({ env }) => ok(await call(env.spend.models())));

api.post("/api/models/check", async (context) => {
  const body = await readBody(context, checkBody);
  if (body instanceof Response) return body;
  const provider = providerOf(body.provider);
  if (provider === undefined) return fail(400, "invalid_body", "There is no such provider.");
  return ok(await checkProvider(provider, context.env.config, (input, init) => fetch(input, init)));
});

api.put("/api/models/routing", async (context) => {
  const routing = await readBody(context, routingSettings);
  if (routing instanceof Response) return routing;
  const reply = await call(context.env.spend.setRouting(routing));
  return reply.ok ? ok(reply) : fail(409, "refused", reply.reason);
});

api.notFound(() => fail(404, "not_found", "There is no such call."));
api.onError((error) => {
  throw error;
});

export async function spendApi(
  request: Request,
  spend: SpendCalls,
  config: AiConfig,
): Promise<Response> {
  return api.fetch(request, { spend, config });
}

async function readBody<T>(
  { req }: Context<Bindings>,
  schema: z.ZodType<T>,
): Promise<T | Response> {
  if (!/^application\/json\s*(;|$)/i.test(req.header("content-type") ?? "")) {
    return fail(415, "json_required", "Send the body as application/json.");
  }
  const text = await boundedText(req.raw, MAX_BODY_BYTES);
  if (text === undefined) return fail(413, "body_too_large", "The body is too large.");
  let value: unknown;
  try {
    value = text === "" ? {} : JSON.parse(text);
  } catch {
    return fail(400, "invalid_json", "The body is not JSON.");
  }
  const parsed = schema.safeParse(value);
  return parsed.success
    ? parsed.data
    : fail(400, "invalid_body", z.prettifyError(parsed.error).slice(0, 500));
}

function call<T>(work: Promise<T>): Promise<T> {
  return within("the agent", CALL_DEADLINE_MS, work);
}

function ok(body: unknown): Response {
  return jsonReply(200, body);
}

function fail(status: number, code: AdminError, message: string): Response {
  return jsonReply(status, { error: { code, message } });
}
