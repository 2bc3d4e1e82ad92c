/** `/api/apps*`: pairing codes for apps and phones, and what was let in by one. */
import { Hono } from "hono";
import * as z from "zod";
import { APPS_API, newCodeBody } from "../../protocol/admin-apps.ts";
import { CODE_LIFETIME_MS, pairLink } from "../../protocol/apps.ts";
import { call, fail, readBody } from "../json-call.ts";
import { askerOf, done, lastingOwn, ok, type Bindings } from "./calls.ts";

const appId = z.string().regex(/^[A-Za-z0-9_-]{24}$/);

export const appsApi = new Hono<Bindings>();

appsApi.get("/api/apps", async ({ env }) => ok(APPS_API.apps, await call(env.agent.apps.list())));

appsApi.post("/api/apps/codes", async (context) => {
  const body = await readBody(context, newCodeBody);
  if (body instanceof Response) return body;
  const { env } = context;
  const { name = "" } = body;
  const { code, hash } = await env.codes.make();
  const expiresAt = Date.now() + CODE_LIFETIME_MS;
  const noted = await call(env.agent.apps.noteCode({ hash, name, by: env.by, expiresAt }));
  const entry = { kind: "app-code-made", who: env.by, from: env.from, detail: name } as const;
  await call(env.agent.audit.record([{ ...entry, times: 1 }]));
  // Without a host of its own the admin page is where the agent is.
  const here = env.config.adminHost === undefined ? new URL(context.req.url).origin : undefined;
  const origin = noted.origin ?? here;
  const link = origin === undefined ? undefined : pairLink(origin, code);
  return ok(APPS_API.newCode, { code, expiresAt, ...(link === undefined ? {} : { link }) });
});

appsApi.delete("/api/apps/codes", async ({ env }) =>
  done(env, env.agent.apps.dropCodes(), "app-codes-dropped"),
);

appsApi.delete("/api/apps/:id", async ({ env, req }) => {
  const id = appId.safeParse(req.param("id"));
  if (!id.success) return fail(400, "invalid_app", "An app's id has 24 characters.");
  return lastingOwn(env.agent.apps.remove(id.data, askerOf(env)));
});
