/**
 * The Worker as `npm start` runs it: the same app, with two faces on two ports, `AgentEntry` and
 * `AdminEntry`; neither answers for the other.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import * as z from "zod";
import { closedAdmin } from "../worker/access/admin.ts";
import { createAccessVerifier } from "../worker/access/cloudflare-access/verifier.ts";
import { completeAccess } from "../worker/access/cloudflare-access/settings.ts";
import { NO_ADDRESS } from "../worker/access/forward.ts";
import { createApp, type App, type AppParts } from "../worker/app.ts";
import { configOf } from "../worker/config.ts";
import type { Env } from "../worker/env.ts";
import { VERSION } from "../worker/version.ts";
import { localAdminVerifier } from "./admin-login/verifier.ts";

export { Agent } from "../worker/agent/agent.ts";
export { Outbound } from "../worker/egress/outbound.ts";
export { AdminCodes } from "./admin-login/codes.ts";

interface LocalEnv extends Env {
  ADMIN_CODES: { getByName(name: string): { redeem(code: string): Promise<boolean> } };
}

/** What `npm start` binds besides the settings. */
const localSettings = z.object({
  LOCAL_ADMIN_SECRET: z.string().min(32),
  /** Comma list of `host:port`. */
  LOCAL_ADMIN_HOSTS: z.string().min(1),
  /** `yes` when others than this machine's programs can connect to the agent's port. */
  LOCAL_EXPOSED: z.enum(["yes", "no"]).transform((text) => text === "yes"),
});

const parts: Omit<AppParts, "faces" | "adminVerifier"> = {
  version: VERSION,
  clientAddress: () => "127.0.0.1",
  now: Date.now,
};

/** The admin's face has a port of its own, unless Cloudflare Access stands in front of both. */
const agentApps = oncePerEnv((env) => {
  const { LOCAL_EXPOSED: exposed } = localSettings.parse(env);
  const parsed = configOf(env);
  const access = parsed.ok ? parsed.config.access : undefined;
  const behindAccess = access !== undefined && completeAccess(access).ok;
  return createApp({
    ...parts,
    // Nothing tells the peer's address here that a client could not forge.
    clientAddress: () => (exposed ? NO_ADDRESS : "127.0.0.1"),
    adminVerifier: behindAccess
      ? createAccessVerifier(access, (url, init) => fetch(url, init))
      : closedAdmin,
    faces: (url, { adminHost }) => ({
      agent: !behindAccess || url.host !== adminHost,
      admin: behindAccess && (adminHost === undefined || url.host === adminHost),
    }),
  });
});

const adminApps = oncePerEnv((env) => {
  const { LOCAL_ADMIN_SECRET: secret, LOCAL_ADMIN_HOSTS: hosts } = localSettings.parse(env);
  return createApp({
    ...parts,
    adminVerifier: localAdminVerifier({
      secret,
      hosts: hosts.split(","),
      redeem: (code) => env.ADMIN_CODES.getByName("admin").redeem(code),
    }),
    faces: () => ({ agent: false, admin: true }),
  });
});

/** The admin's port. */
export class AdminEntry extends WorkerEntrypoint<LocalEnv> {
  override fetch(request: Request): Promise<Response> {
    return adminApps(this.env).fetch(request, this.env, this.ctx);
  }
}

/** The agent's port, a socket of its own without the development server in front. */
export class AgentEntry extends WorkerEntrypoint<LocalEnv> {
  override fetch(request: Request): Promise<Response> {
    return agentApps(this.env).fetch(request, this.env, this.ctx);
  }
}

/** The runtime wants one; nobody reaches it. */
export default createApp({
  ...parts,
  adminVerifier: closedAdmin,
  faces: () => ({ agent: false, admin: false }),
});

/** The verifier of Access keeps the team's keys, so an app lives as long as its settings. */
function oncePerEnv(make: (env: LocalEnv) => App): (env: LocalEnv) => App {
  const made = new WeakMap<LocalEnv, App>();
  return (env) => {
    let app = made.get(env);
    if (app === undefined) {
      app = make(env);
      made.set(env, app);
    }
    return app;
  };
}
