/**
 * The deployed Worker: the only door to the agent.
 *
 *   client ─▶ fetch ─▶ shape, path, route, guard (`app.ts`) ─▶ Agent ─▶ sandbox
 *   sandbox ─▶ Outbound ─▶ model providers, allowed hosts, reports to the Agent
 *
 * `Agent` is the Durable Object that owns one agent's sandbox, `Outbound` answers what leaves it.
 */
import { env } from "cloudflare:workers";
import { closedAdmin } from "./access/admin.ts";
import { createAccessVerifier } from "./access/cloudflare-access/verifier.ts";
import { configOf } from "./config.ts";
import { createApp } from "./app.ts";
import { NO_ADDRESS } from "./access/forward.ts";
import { facesByHost } from "./guard.ts";
import { VERSION } from "./version.ts";

export { Agent } from "./agent/agent.ts";
export { Outbound } from "./egress/outbound.ts";

const parsed = configOf(env);

const app = createApp({
  version: VERSION,
  // Once an isolate, because the verifier keeps the team's keys.
  adminVerifier: parsed.ok
    ? createAccessVerifier(parsed.config.access, (url, init) => fetch(url, init))
    : closedAdmin,
  // Set by the edge; a client's own header of that name never arrives.
  clientAddress: (request) => request.headers.get("cf-connecting-ip") ?? NO_ADDRESS,
  faces: facesByHost,
  now: Date.now,
});

export default app;
