/**
 * `/api/spend*` and `/api/models*`: what an admin sees and sets of model calls. The caller has been
 * verified before; bodies are JSON, so that no form of another site can send one.
 */
import { Hono } from "hono";
import {
  raiseRequest,
  routingSettings,
  spendSettingsChange,
} from "../../protocol/spend-settings.ts";
import { callsQuery, checkBody } from "../../protocol/spend.ts";
import { call, fail, readBody } from "../json-call.ts";
import { jsonReply, ownHeaders } from "../replies.ts";
import { checkProvider } from "./check.ts";
import { callsCsv, daysCsv } from "./csv.ts";
import type { SpendCalls } from "./ledger/calls.ts";
import { providerOf, type AiConfig } from "./providers.ts";

interface Bindings {
  Bindings: { spend: SpendCalls; config: AiConfig };
}

const api = new Hono<Bindings>();

api.get("/api/spend", async ({ env }) => ok(await call(env.spend.overview())));

api.get("/api/spend/calls", async ({ env, req }) => {
  const query = callsQuery.safeParse(req.query());
  if (!query.success) return fail(400, "invalid_query", "before and limit are whole numbers.");
  return ok({ calls: await call(env.spend.calls(query.data)) });
});

api.get("/api/spend/calls.csv", ({ env }) =>
  download(
    "model-calls.csv",
    callsCsv((before, limit) =>
      call(env.spend.calls({ limit, ...(before === undefined ? {} : { before }) })),
    ),
  ),
);

api.get("/api/spend/days.csv", ({ env }) =>
  download(
    "model-days.csv",
    daysCsv((query) => call(env.spend.days(query))),
  ),
);

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
  return reply.ok ? ok(reply) : fail(409, reply.code ?? "refused", reply.reason);
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

function ok(body: unknown): Response {
  return jsonReply(200, body);
}

function download(name: string, body: ReadableStream<Uint8Array>): Response {
  return new Response(body, {
    headers: ownHeaders({
      "Content-Type": "text/csv; charset=utf-8",
      "Content-Disposition": `attachment; filename="${name}"`,
    }),
  });
}
