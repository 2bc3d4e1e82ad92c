/**
 * One request: shape → path → route → guard → room. Every step fails closed, and nothing before the
 * guard touches an agent.
 */
import { DEFAULT_AGENT_ID } from "../protocol/names.ts";
import { createFailureLimiter, type FailureLimiter } from "./access/failures.ts";
import { forwardable } from "./access/forward.ts";
import { createGate, type Gate, type Visit } from "./access/gate.ts";
import type { AdminVerifier } from "./access/admin.ts";
import { browserName } from "./access/journal.ts";
import { login, logout, refuseEntry } from "./access/login.ts";
import { SESSION_OVER_HEADER } from "./access/session.ts";
import { adminApi, debugRoutes } from "./admin/api.ts";
import type { AdminCall } from "./admin/calls.ts";
import { adminPage } from "./admin/page.ts";
import type { AgentCalls } from "./agent-calls.ts";
import { createPairingCodes, type PairingCodes } from "./apps/code.ts";
import { pair } from "./apps/pair.ts";
import { answerCdp } from "./browser/cdp.ts";
import { createCdpDoor, type CdpDoor } from "./browser/door.ts";
import { createDenials } from "./audit/denials.ts";
import { answerWebhook } from "./channels/webhooks.ts";
import { configOf, secretsOf, type Config } from "./config.ts";
import { controlUiPage, staticFile } from "./control-ui/shell.ts";
import { bootstrapScript } from "./control-ui/strip.ts";
import { within } from "./deadline.ts";
import type { Env } from "./env.ts";
import { pass, type Faces, type Passed } from "./guard.ts";
import { isUpgrade, refuseShape } from "./limits.ts";
import { createLogger, type Logger } from "./logger.ts";
import { misconfigured } from "./misconfigured.ts";
import { rawPath, readPath } from "./path.ts";
import { errorReply, isDocument, jsonReply, notFound, ownHeaders } from "./replies.ts";
import { matchRoute, type Route } from "./routes.ts";

/** What differs between the places the Worker runs in. */
export interface AppParts {
  version: string;
  adminVerifier: AdminVerifier;
  /** The address the request came from, as this place's edge tells it and no client can. */
  clientAddress(request: Request): string;
  /** Which of the two faces this origin shows; both when there is only one origin. */
  faces(url: URL, config: Config): Faces;
  now(): number;
}

export interface App {
  fetch(request: Request, env: Env, ctx: Pick<ExecutionContext, "waitUntil">): Promise<Response>;
  /** Wakes the Durable Object, which then mends what it finds; it starts nothing. */
  scheduled(event: unknown, env: Env): Promise<void>;
}

interface Place {
  config: Config;
  gate: Gate;
  cdp: CdpDoor;
  codes: PairingCodes;
  codeFailures: FailureLimiter;
  log: Logger;
}

interface Call extends Place {
  visit: Visit;
  route: Route;
  env: Env;
  ctx: Pick<ExecutionContext, "waitUntil">;
  agent: AgentCalls;
  passed: Passed;
}

const RPC_DEADLINE_MS = 10_000;
const denials = createDenials();
const places = new WeakMap<Config, Place>();

export function createApp(parts: AppParts): App {
  return {
    async scheduled(_event, env) {
      const parsed = configOf(env);
      if (!parsed.ok) return;
      await within("the agent", RPC_DEADLINE_MS, env.AGENT.getByName(DEFAULT_AGENT_ID).lookAfter());
    },

    async fetch(request, env, ctx) {
      const started = parts.now();
      const parsed = configOf(env);
      if (!parsed.ok) return misconfigured(request, parts.version, parsed.problems);
      const place = placeOf(parsed.config);
      const path = new URL(request.url).pathname;
      try {
        const { response, route } = await answer(parts, place, request, env, ctx);
        if (isWorthALine(route, response.status)) {
          place.log.info("request", {
            method: request.method,
            path,
            status: response.status,
            room: route?.room,
            ms: parts.now() - started,
          });
        }
        return response;
      } catch (error) {
        place.log.error("request failed", {
          method: request.method,
          path,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
        return errorReply(request, {
          status: 502,
          code: "agent_unreachable",
          message: "The agent did not answer. The log says why; try again in a moment.",
        });
      }
    },
  };
}

/** What is asked for all day and goes well would only bury the rest, and cost each request time. */
function isWorthALine(route: Route | undefined, status: number): boolean {
  if (route?.room === "static" || route?.room === "health") return false;
  return route?.room !== "agent" || status >= 400 || status === 101;
}

function placeOf(config: Config): Place {
  let place = places.get(config);
  if (place === undefined) {
    const tokens = [config.gatewayToken, ...config.previousGatewayTokens];
    place = {
      config,
      gate: createGate(config),
      cdp: createCdpDoor(config.browser),
      codes: createPairingCodes(tokens, DEFAULT_AGENT_ID),
      codeFailures: createFailureLimiter(),
      log: createLogger(secretsOf(config)),
    };
    places.set(config, place);
  }
  return place;
}

async function answer(
  parts: AppParts,
  place: Place,
  request: Request,
  env: Env,
  ctx: Call["ctx"],
): Promise<{ response: Response; route?: Route }> {
  const shape = refuseShape(request);
  if (shape !== undefined) return { response: await errorReply(request, shape) };
  const url = new URL(request.url);
  const path = readPath(rawPath(request.url));
  if (!path.ok) {
    return {
      response: await errorReply(request, {
        status: 400,
        code: "malformed_path",
        message: "The address is not written in its plain form.",
        details: { reason: path.reason },
      }),
    };
  }
  const match = matchRoute({
    path: path.path,
    method: request.method,
    upgrade: isUpgrade(request),
    document: isDocument(request),
  });
  if (!match.ok) {
    return {
      response: await errorReply(request, {
        status: 405,
        code: "method_not_allowed",
        message: "This address does not take that method.",
        headers: { Allow: match.allow },
      }),
    };
  }
  const { route } = match;
  const agent = env.AGENT.getByName(DEFAULT_AGENT_ID);
  const writeDenials = (): void => {
    const due = denials.take(parts.now());
    if (due.length > 0) ctx.waitUntil(agent.audit.record(due));
  };
  const visit: Visit = {
    request,
    url,
    client: parts.clientAddress(request),
    now: parts.now(),
    journal: {
      signedIn: (session) =>
        ctx.waitUntil(
          agent.security.noteSession({
            ...session,
            from: visit.client,
            browser: browserName(request.headers.get("user-agent")),
          }),
        ),
      adminSignedIn: (who) =>
        ctx.waitUntil(
          agent.audit.record([
            { kind: "admin-sign-in", who, from: visit.client, detail: "", times: 1 },
          ]),
        ),
      denied(kind, detail) {
        denials.count({ kind, from: visit.client, detail }, visit.now);
        writeDenials();
      },
    },
  };
  const guarded = await pass(
    {
      gate: place.gate,
      cdp: place.cdp,
      log: place.log,
      adminVerifier: parts.adminVerifier,
      faces: parts.faces(url, place.config),
    },
    visit,
    route,
  );
  if (guarded instanceof Response) return { route, response: guarded };
  if (route.guard !== "public") writeDenials();
  const call: Call = {
    ...place,
    visit,
    route,
    env,
    ctx,
    agent,
    passed: guarded,
  };
  return { route, response: await enter(call, parts) };
}

async function enter(call: Call, parts: AppParts): Promise<Response> {
  const { visit, env, gate, config } = call;
  const { request, url } = visit;
  switch (call.route.room) {
    case "health":
      return jsonReply(200, { ok: true, version: parts.version });
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
      });
    case "admin-page":
      return adminPage(request, url, env.ASSETS);
    case "admin-api":
      return adminApi(request, adminCall(call, parts.version));
    case "debug":
      return config.debugRoutes
        ? debugRoutes(request, adminCall(call, parts.version))
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
  return within("the agent", RPC_DEADLINE_MS, asked);
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
