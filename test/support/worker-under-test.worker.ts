/**
 * The Worker's app around a Durable Object that only records what it was asked. The production and
 * the local compositions differ from it in their parts alone.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import { localAdminVerifier } from "../../src/local/admin-login/verifier.ts";
import { closedAdmin } from "../../src/worker/access/admin.ts";
import { createAccessVerifier } from "../../src/worker/access/cloudflare-access/verifier.ts";
import { createApp, type App, type AppParts } from "../../src/worker/app.ts";
import { configOf } from "../../src/worker/config.ts";
import type { Env } from "../../src/worker/env.ts";
import { facesByHost } from "../../src/worker/guard.ts";

export { AdminCodes } from "../../src/local/admin-login/codes.ts";
export { Outbound } from "../../src/worker/egress/outbound.ts";
export { Agent } from "./recording-agent.worker.ts";

interface ControlEnv {
  AGENT: {
    getByName(name: string): {
      taken(): Promise<unknown[]>;
      written(): Promise<number>;
      become(change: object): Promise<void>;
    };
  };
}

interface AdminEnv extends Env {
  LOCAL_ADMIN_SECRET: string;
  ADMIN_ADDRESS: string;
  ADMIN_CODES: { getByName(name: string): { redeem(code: string): Promise<boolean> } };
}

const base: Omit<AppParts, "adminVerifier" | "faces"> = {
  version: "test",
  clientAddress: (request) => request.headers.get("x-test-client") ?? "198.51.100.7",
  now: () => Date.now(),
};
const one = createApp({
  ...base,
  adminVerifier: closedAdmin,
  faces: () => ({ agent: true, admin: true }),
});
const agentFace = createApp({
  ...base,
  adminVerifier: closedAdmin,
  faces: () => ({ agent: true, admin: false }),
});

/** The control of the tests: what the agent was asked since the last call, and outbound requests. */
export class Control extends WorkerEntrypoint<ControlEnv> {
  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === "/calls") {
      return Response.json(await this.env.AGENT.getByName("main").taken());
    }
    if (url.pathname === "/writes") {
      return Response.json(await this.env.AGENT.getByName("main").written());
    }
    if (url.pathname === "/become") {
      await this.env.AGENT.getByName("main").become(await request.json<object>());
      return new Response(null, { status: 204 });
    }
    const outbound = this.ctx.exports.Outbound({ props: { agentId: "main", startGeneration: 3 } });
    const target = request.headers.get("x-target") ?? "";
    const headers = new Headers(request.headers);
    headers.delete("x-target");
    return outbound.fetch(
      new Request(target, {
        method: request.method,
        headers,
        body: request.body,
        redirect: "manual",
      }),
    );
  }
}

/** One origin for both faces, as when deployed without an admin host. */
export class Deployed extends WorkerEntrypoint<Env> {
  override fetch(request: Request): Promise<Response> {
    return one.fetch(request, this.env, this.ctx);
  }
}

export class AgentFace extends WorkerEntrypoint<Env> {
  override fetch(request: Request): Promise<Response> {
    return agentFace.fetch(request, this.env, this.ctx);
  }
}

let behindAccess: App | undefined;
/** As when deployed: one origin, admins through Cloudflare Access. */
export class AccessFace extends WorkerEntrypoint<Env> {
  override fetch(request: Request): Promise<Response> {
    const parsed = configOf(this.env);
    behindAccess ??= createApp({
      ...base,
      adminVerifier: parsed.ok
        ? createAccessVerifier(parsed.config.access, (url, init) => fetch(url, init))
        : closedAdmin,
      faces: facesByHost,
    });
    return behindAccess.fetch(request, this.env, this.ctx);
  }
}

let admin: App | undefined;
export class AdminFace extends WorkerEntrypoint<AdminEnv> {
  override fetch(request: Request): Promise<Response> {
    admin ??= createApp({
      ...base,
      adminVerifier: localAdminVerifier({
        secret: this.env.LOCAL_ADMIN_SECRET,
        hosts: ["127.0.0.1:8788", this.env.ADMIN_ADDRESS],
        redeem: (code) => this.env.ADMIN_CODES.getByName("admin").redeem(code),
      }),
      faces: () => ({ agent: false, admin: true }),
    });
    return admin.fetch(request, this.env, this.ctx);
  }
}

export default one;
