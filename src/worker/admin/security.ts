/** `/api/audit` and `/api/security/*`: what happened, and the ways to shut everything. */
import { Hono } from "hono";
import * as z from "zod";
import type { AuditEntry } from "../../protocol/admin-audit.ts";
import { ADMIN_API } from "../../protocol/admin.ts";
import type { AuditCalls } from "../audit/calls.ts";
import { ownHeaders } from "../replies.ts";
import { call, fail, readBody } from "../json-call.ts";
import { askerOf, lastingOwn, ok, type Bindings } from "./calls.ts";

const PAGE = 100;
const empty = z.strictObject({});
const before = z.coerce.number().int().positive().optional();

export const securityApi = new Hono<Bindings>();

securityApi.get("/api/audit", async ({ env, req }) => {
  const from = before.safeParse(req.query("before"));
  if (!from.success) return fail(400, "invalid_query", "before is the number of an entry.");
  const query = { limit: PAGE, ...(from.data === undefined ? {} : { before: from.data }) };
  return ok(ADMIN_API.audit, await call(env.agent.audit.read(query)));
});

/** Everything there is, oldest last, one JSON object a line. */
securityApi.get("/api/audit/export", ({ env }) => {
  const encoder = new TextEncoder();
  const pages = auditPages(env.agent.audit);
  const lines = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const page = await pages.next();
      if (page.done === true) return controller.close();
      const text = page.value.map((entry) => `${JSON.stringify(entry)}\n`).join("");
      controller.enqueue(encoder.encode(text));
    },
  });
  return new Response(lines, {
    headers: ownHeaders({
      "Content-Type": "application/x-ndjson; charset=utf-8",
      "Content-Disposition": 'attachment; filename="moltworker-audit.ndjson"',
    }),
  });
});

async function* auditPages(audit: AuditCalls): AsyncGenerator<AuditEntry[], void, undefined> {
  let last: number | undefined;
  for (;;) {
    const query = { limit: PAGE, ...(last === undefined ? {} : { before: last }) };
    const { entries, more } = await call(audit.read(query));
    if (entries.length > 0) yield entries;
    last = entries.at(-1)?.n;
    if (!more || last === undefined) return;
  }
}

securityApi.get("/api/security", async ({ env }) =>
  ok(ADMIN_API.security, await call(env.agent.security.overview())),
);

securityApi.post("/api/security/:action{(?:end-sessions|panic|panic-over)}", async (context) => {
  const body = await readBody(context, empty);
  if (body instanceof Response) return body;
  const { env } = context;
  const { security } = env.agent;
  const asker = askerOf(env);
  switch (context.req.param("action")) {
    case "end-sessions":
      return lastingOwn(security.endSessions(asker));
    case "panic":
      return lastingOwn(security.panic(asker));
    default:
      return lastingOwn(security.panicOver(asker));
  }
});
