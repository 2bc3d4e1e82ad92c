/**
 * One request: shape → path → route → guard → room. Every step fails closed, and nothing before the
 * guard touches an agent.
 */
import { DEFAULT_AGENT_ID } from "../protocol/names.ts";
import type { AdminVerifier } from "./access/admin.ts";
import type { Visit } from "./access/gate.ts";
import { browserName } from "./access/journal.ts";
import { createDenials } from "./audit/denials.ts";
import { configOf, type Config } from "./config.ts";
import { within } from "./deadline.ts";
import type { Env } from "./env.ts";
import { pass, type Faces } from "./guard.ts";
import { isUpgrade, refuseShape } from "./limits.ts";
import { misconfigured } from "./misconfigured.ts";
import { rawPath, readPath } from "./path.ts";
import { placeOf, type Place } from "./place.ts";
import { errorReply, isDocument } from "./replies.ts";
import { enter, type Call } from "./rooms.ts";
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

const ROUND_DEADLINE_MS = 10_000;
const denials = createDenials();

export function createApp(parts: AppParts): App {
  return {
    async scheduled(_event, env) {
      const parsed = configOf(env);
      if (!parsed.ok) return;
      await within(
        "the agent",
        ROUND_DEADLINE_MS,
        env.AGENT.getByName(DEFAULT_AGENT_ID).lookAfter(),
      );
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
  return { route, response: await enter(call, parts.version) };
}
