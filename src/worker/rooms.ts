/** From the guard to the room: what each room of the Worker is given of one request. */
import { DEFAULT_AGENT_ID } from "../protocol/names.ts";
import { forwardable } from "./access/forward.ts";
import type { Visit } from "./access/gate.ts";
import { login, logout, refuseEntry } from "./access/login.ts";
import { SESSION_OVER_HEADER } from "./access/session.ts";
import { adminApi, debugRoutes } from "./admin/api.ts";
import type { AdminCall } from "./admin/calls.ts";
import { adminPage } from "./admin/page.ts";
import type { AgentCalls } from "./agent-calls.ts";
import { pair } from "./apps/pair.ts";
import { answerCdp } from "./browser/cdp.ts";
import { answerWebhook } from "./channels/webhooks.ts";
import { controlUiPage, staticFile } from "./control-ui/shell.ts";
import { bootstrapScript } from "./control-ui/strip.ts";
import { within } from "./deadline.ts";
import type { Env } from "./env.ts";
import type { Passed } from "./guard.ts";
import type { Place } from "./place.ts";
import { jsonReply, notFound, ownHeaders } from "./replies.ts";
import type { Route } from "./routes.ts";

const SESSION_DEADLINE_MS = 10_000;

export interface Call extends Place {
  visit: Visit;
  route: Route;
  env: Env;
  ctx: Pick<ExecutionContext, "waitUntil">;
  agent: AgentCalls;
  passed: Passed;
}

export async function enter(call: Call, version: string): Promise<Response> {
  const { visit, env, gate, config } = call;
  const { request, url } = visit;
  switch (call.route.room) {
    case "health":
      return jsonReply(200, { ok: true, version });
    case "static":
      return staticFile(request, url.pathname, env.ASSETS);
    case "login":
      return login(visit, gate);
    case "logout":
      return logout(visit, gate);
    case "pair":
      return pair({
        ...call,
        failures: call.codeFailures,
        apps: call.agent.apps,
        agentId: DEFAULT_AGENT_ID,
      });
    case "shell":
      return controlUiPage(request, env.ASSETS, gate.publicOrigin(url));
    case "session":
      return sessionReply(call);
    case "bootstrap":
      return bootstrap(call);
    case "agent":
      return toAgent(call);
    case "cdp":
      return answerCdp({
        request,
        path: url.pathname.slice("/cdp".length),
        root: `${gate.publicOrigin(url).replace(/^http/, "ws")}/cdp`,
        caller: { holder: "outside", from: visit.client },
        browser: call.agent.browser,
        binding: env.BROWSER,
        waitUntil: (work) => call.ctx.waitUntil(work),
      });
    case "admin-page":
      return adminPage(request, url, env.ASSETS);
    case "admin-api":
      return adminApi(request, adminCall(call, version));
    case "debug":
      return config.debugRoutes
        ? debugRoutes(request, adminCall(call, version))
        : notFound(request);
    case "webhook":
      return webhook(call);
    case "none":
      return notFound(request);
  }
}

/** `/webhooks/<channel>/…` */
function webhook({ visit, config, agent }: Call): Promise<Response> {
  const [, , channel = "", ...rest] = visit.url.pathname.split("/");
  return answerWebhook({
    request: visit.request,
    channel,
    rest: rest.join("/"),
    settings: config.channels,
    agentId: DEFAULT_AGENT_ID,
    now: visit.now,
    agent,
  });
}

function adminCall(call: Call, version: string): AdminCall {
  const { agent, config, env, passed, visit, codes } = call;
  const { admin: by } = passed;
  const { client: from } = visit;
  const agentId = DEFAULT_AGENT_ID;
  return { agent, agentId, config, codes, bucket: env.BACKUPS, by, from, version };
}

/** The one call a request makes; whether its session was ended meanwhile is answered there, too. */
async function toAgent({ agent, visit, route, gate, config, passed }: Call): Promise<Response> {
  const { holder } = passed;
  const credential = holder.app === undefined ? [] : [holder.app.credential];
  const response = await agent.fetch(
    forwardable(visit.request, {
      url: visit.url,
      client: visit.client,
      publicOrigin: gate.publicOrigin(visit.url),
      secrets: [config.gatewayToken, ...config.previousGatewayTokens, ...credential],
      dropTokenParam: route.guard === "ws",
      holder,
    }),
  );
  return response.status === 401 && response.headers.has(SESSION_OVER_HEADER)
    ? refuseEntry(visit, { ok: false, reason: "expired" })
    : response;
}

function sessionOf(agent: AgentCalls, { holder }: Passed): ReturnType<AgentCalls["session"]> {
  const asked = agent.session(holder.sessionIssuedAt, holder.app?.id);
  return within("the agent", SESSION_DEADLINE_MS, asked);
}

async function sessionReply({ agent, visit, passed }: Call): Promise<Response> {
  const session = await sessionOf(agent, passed);
  return session === undefined
    ? refuseEntry(visit, { ok: false, reason: "expired" })
    : jsonReply(200, session);
}

/** Opening the page is what starts a cold agent; the page does not wait for it. */
async function bootstrap({ agent, ctx, gate, log, visit, passed }: Call): Promise<Response> {
  const session = await sessionOf(agent, passed);
  if (session === undefined) return script(`location.replace("/_moltworker/login");`);
  ctx.waitUntil(
    agent.start(gate.publicOrigin(visit.url)).then(
      (started) => {
        if (!started.ok) log.warn("start refused", { reason: started.reason });
      },
      (error: unknown) => log.error("start failed", { error: String(error) }),
    ),
  );
  return script(bootstrapScript(session));
}

function script(text: string): Response {
  return new Response(text, {
    headers: ownHeaders({ "Content-Type": "text/javascript; charset=utf-8" }),
  });
}
