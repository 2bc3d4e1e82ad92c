/** `/api/channels*`: chat platforms, who may write, and what is on its way. */
import { Hono } from "hono";
import * as z from "zod";
import { CHANNELS_API, pairingBody, senderBody, testBody } from "../../protocol/admin-channels.ts";
import { call, readBody } from "../json-call.ts";
import { done, ok, type Bindings } from "./calls.ts";

const TEST_MESSAGE =
  "A test message from moltworker's admin page. (来自 moltworker 管理页的测试消息。)";
const LETTER = "/api/channels/letters/:n{[1-9][0-9]{0,12}}";

export const channelsApi = new Hono<Bindings>();

channelsApi.get("/api/channels", async ({ env }) =>
  ok(CHANNELS_API.channels, await call(env.agent.channels.overview())),
);

channelsApi.post("/api/channels/:action{approve|dismiss}", async (context) => {
  const body = await readBody(context, pairingBody);
  if (body instanceof Response) return body;
  const { env } = context;
  const { channel, requestId } = body;
  const detail = `${channel} ${requestId}`;
  return context.req.param("action") === "approve"
    ? done(env, env.agent.channels.approve(channel, requestId, env.by), "sender-approved", detail)
    : done(env, env.agent.channels.dismiss(channel, requestId), "sender-rejected", detail);
});

channelsApi.post("/api/channels/:action{bar|readmit}", async (context) => {
  const body = await readBody(context, senderBody);
  if (body instanceof Response) return body;
  const { env } = context;
  const { channel, id } = body;
  const barred = context.req.param("action") === "bar";
  const changed = env.agent.channels.bar(channel, id, barred);
  return done(env, changed, barred ? "sender-barred" : "sender-readmitted", `${channel} ${id}`);
});

channelsApi.post(`${LETTER}/retry`, async (context) => {
  const body = await readBody(context, z.strictObject({}));
  if (body instanceof Response) return body;
  const n = Number(context.req.param("n"));
  const { env } = context;
  return done(env, env.agent.channels.retryLetter(n), "message-retried", String(n));
});

channelsApi.delete(LETTER, async ({ env, req }) => {
  const n = Number(req.param("n"));
  return done(env, env.agent.channels.dropLetter(n), "message-dropped", String(n));
});

channelsApi.post("/api/channels/test", async (context) => {
  const body = await readBody(context, testBody);
  if (body instanceof Response) return body;
  const { env } = context;
  const { channel, chat } = body;
  const sent = env.agent.channels.test(channel, chat, TEST_MESSAGE);
  return done(env, sent, "channel-tested", `${channel} ${chat}`);
});
