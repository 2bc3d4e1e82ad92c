/**
 * The guard of a route, before any room hears of the request. Fails closed: a face that this origin
 * does not show and a closed route do not exist, whoever asks.
 */
import type { AdminVerifier } from "./access/admin.ts";
import type { CdpDoor } from "./browser/door.ts";
import type { Gate, Holder, Visit } from "./access/gate.ts";
import { exchangeLink, refuseEntry } from "./access/login.ts";
import { checkAdmin } from "./admin/guard.ts";
import type { Config } from "./config.ts";
import { isUpgrade } from "./limits.ts";
import type { Logger } from "./logger.ts";
import { errorReply, isDocument, notFound, ownHeaders } from "./replies.ts";
import type { Route } from "./routes.ts";

export interface Faces {
  agent: boolean;
  admin: boolean;
}

/** Without a host of its own the admin's face is shown beside the agent's, otherwise only there. */
export function facesByHost(url: URL, { adminHost }: Pick<Config, "adminHost">): Faces {
  return {
    agent: url.host !== adminHost,
    admin: adminHost === undefined || url.host === adminHost,
  };
}

export interface Door {
  faces: Faces;
  adminVerifier: AdminVerifier;
  gate: Gate;
  cdp: CdpDoor;
  log: Logger;
}

/** Leave to go on: the admin who asks, or by what the client was let in. */
export interface Passed {
  admin: string;
  holder: Holder;
}

const NOBODY: Passed = { admin: "", holder: {} };

/** A refusal, or leave to go on. */
export async function pass(
  { faces, adminVerifier, gate, cdp, log }: Door,
  visit: Visit,
  route: Route,
): Promise<Response | Passed> {
  const { request, url } = visit;
  const isAdminRoute = route.guard === "admin";
  if (faces.admin && !faces.agent && url.pathname === "/") {
    return new Response(null, { status: 302, headers: ownHeaders({ Location: "/_admin/" }) });
  }
  const shown = isAdminRoute ? faces.admin : faces.agent || route.room === "health";
  if (route.guard === "closed" || !shown) return notFound(request);
  if (isUpgrade(request) && route.guard !== "ws" && route.guard !== "cdp") {
    return errorReply(request, {
      status: 400,
      code: "no_websocket_here",
      message: "No WebSocket is spoken at this address.",
    });
  }
  if (route.guard === "public") return NOBODY;
  if (route.guard === "cdp") return (await cdp.refuse(visit)) ?? NOBODY;
  if (isAdminRoute) {
    const checked = await checkAdmin(adminVerifier, visit, gate.publicOrigin(url), log);
    return checked instanceof Response ? checked : { ...checked, holder: {} };
  }

  const token = url.searchParams.get("token");
  if (route.guard === "session" && request.method === "GET" && token !== null) {
    if (isDocument(request)) return exchangeLink(visit, gate, token);
  }
  if (url.pathname === "/ws" && !isUpgrade(request)) {
    return errorReply(request, {
      status: 426,
      code: "upgrade_required",
      message: "This address speaks WebSocket only.",
      headers: { Upgrade: "websocket" },
    });
  }
  const entry = await gate.enter(visit, route.guard === "ws");
  return entry.ok ? { admin: "", holder: entry.holder } : refuseEntry(visit, entry);
}
