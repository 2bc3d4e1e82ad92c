/** The admin API's calls for the browser room. */
import { Hono } from "hono";
import { ADMIN_API } from "../../protocol/admin.ts";
import { releaseBody } from "../../protocol/browser.ts";
import { call, readBody } from "../json-call.ts";
import { done, ok, type Bindings } from "./calls.ts";

export const browserApi = new Hono<Bindings>();

browserApi.get("/api/browser", async ({ env }) =>
  ok(ADMIN_API.browser, await call(env.agent.browser.overview())),
);

browserApi.post("/api/browser/release", async (context) => {
  const body = await readBody(context, releaseBody);
  if (body instanceof Response) return body;
  const { env } = context;
  return done(env, env.agent.browser.release(body.id), "browser-released", body.id);
});
