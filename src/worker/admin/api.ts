/**
 * `/api/*`: what an admin may do to an agent, each call one method of the Durable Object. The caller
 * has been verified before; bodies are JSON, so that no form of another site can send one.
 */
import { Hono, type Context } from "hono";
import * as z from "zod";
import type { AuditKind } from "../../protocol/admin-audit.ts";
import { renameBody } from "../../protocol/admin-devices.ts";
import { sleepBody } from "../../protocol/admin-settings.ts";
import { ADMIN_API } from "../../protocol/admin.ts";
import { spendApi } from "../ai/api.ts";
import { jsonReply } from "../replies.ts";
import { COMPATIBILITY_DATE } from "../version.ts";
import { appsApi } from "./apps.ts";
import { backupsApi } from "./backups.ts";
import { channelsApi } from "./channels.ts";
import { browserApi } from "./browser.ts";
import { call, fail, readBody } from "../json-call.ts";
import {
  askerOf,
  done,
  lasting,
  lastingOwn,
  ofSandbox,
  ok,
  record,
  type AdminCall,
  type Bindings,
} from "./calls.ts";
import { securityApi } from "./security.ts";
import { settingsReply } from "./settings.ts";
import { adminStream } from "./stream.ts";

const deviceId = z.string().regex(/^[0-9a-f]{64}$/);
const empty = z.strictObject({});
const source = z.enum(["gateway", "supervisor"]);
const logQuery = z.object({
  source: source.default("gateway"),
  after: z.coerce.number().int().nonnegative().optional(),
});

const SPEND_CHANGES: ReadonlyMap<string, AuditKind> = new Map([
  ["PUT /api/spend/settings", "spend-changed"],
  ["POST /api/spend/raise", "spend-raised"],
  ["PUT /api/models/routing", "routing-changed"],
]);

const api = new Hono<Bindings>();

api.get("/api/status", async ({ env }) => ok(ADMIN_API.status, await call(env.agent.status())));

api.post("/api/agent/:action{(?:start|stop|restart)}", async (context) => {
  const body = await readBody(context, empty);
  if (body instanceof Response) return body;
  const { agent } = context.env;
  switch (context.req.param("action")) {
    case "start":
      return lasting(context, agent.start(), "agent-start");
    case "stop":
      return lasting(context, agent.stop(), "agent-stop");
    default:
      return lasting(context, agent.restart(), "agent-restart");
  }
});

api.get("/api/devices", async ({ env }) => {
  const reply = await call(env.agent.devices.list());
  return reply.ok
    ? ok(ADMIN_API.devices, { pending: reply.pending, paired: reply.paired })
    : fail(503, "agent_unavailable", reply.reason);
});

api.post("/api/devices/:id/:action{(?:approve|reject)}", async (context) => {
  const id = deviceId.safeParse(context.req.param("id"));
  if (!id.success) return badDevice();
  const body = await readBody(context, empty);
  if (body instanceof Response) return body;
  const { env } = context;
  return context.req.param("action") === "approve"
    ? done(env, env.agent.devices.approve(id.data, env.by), "device-approved", id.data)
    : done(env, env.agent.devices.reject(id.data, env.by), "device-rejected", id.data);
});

api.patch("/api/devices/:id", async (context) => {
  const id = deviceId.safeParse(context.req.param("id"));
  if (!id.success) return badDevice();
  const body = await readBody(context, renameBody);
  if (body instanceof Response) return body;
  const { env } = context;
  const renamed = env.agent.devices.rename(id.data, body.name);
  return done(env, renamed, "device-renamed", `${id.data} ${body.name}`);
});

api.delete("/api/devices/:id", async ({ env, req }) => {
  const id = deviceId.safeParse(req.param("id"));
  if (!id.success) return badDevice();
  return lastingOwn(env.agent.devices.remove(id.data, askerOf(env)));
});

api.get("/api/egress/refused", async ({ env }) =>
  ok(ADMIN_API.refusedHosts, { hosts: await call(env.agent.egress.refusedHosts()) }),
);

for (const path of ["/api/spend", "/api/spend/*", "/api/models", "/api/models/*"]) {
  api.all(path, async ({ env, req }) => {
    const reply = await spendApi(req.raw, env.agent.spend, env.config.models);
    const kind = SPEND_CHANGES.get(`${req.method} ${req.path}`);
    if (kind !== undefined && reply.ok) await record(env, kind);
    return reply;
  });
}

api.get("/api/logs", async (context) => logs(context));

api.get("/api/settings", ({ env }) => settingsReply(env));

api.put("/api/settings/sleep", async (context) => {
  const body = await readBody(context, sleepBody);
  if (body instanceof Response) return body;
  const { env } = context;
  const set = env.agent.setSleepAfter(body.sleepAfter ?? undefined);
  return done(env, set, "sleep-changed", String(body.sleepAfter ?? "as in the settings"));
});

api.get("/api/events", ({ env, req }) => {
  const followed = source.optional().safeParse(req.query("logs"));
  if (!followed.success) return fail(400, "invalid_query", "logs is gateway or supervisor.");
  return adminStream(req.raw, env.agent, followed.data);
});

api.route("/", securityApi);
api.route("/", backupsApi);
api.route("/", channelsApi);
api.route("/", appsApi);
api.route("/", browserApi);

const debug = new Hono<Bindings>();
debug.get("/debug/processes", ({ env }) =>
  ofSandbox(env.agent.processes(), (processes) => jsonReply(200, { processes })),
);
debug.get("/debug/logs", async (context) => logs(context));
debug.get("/debug/version", async ({ env }) => {
  const status = await call(env.agent.status());
  const { supervisor } = status;
  return jsonReply(200, {
    version: env.version,
    gateway: supervisor?.gateway.version,
    engine: supervisor?.sandbox?.engine,
    image: supervisor?.sandbox?.image,
    isolation: supervisor?.isolation,
    protocol: supervisor?.protocol,
    startGeneration: status.startGeneration,
    compatibilityDate: COMPATIBILITY_DATE,
  });
});

for (const app of [api, debug]) {
  app.notFound(() => fail(404, "not_found", "There is no such call."));
  app.onError((error) => {
    throw error;
  });
}

export async function adminApi(request: Request, admin: AdminCall): Promise<Response> {
  return api.fetch(request, admin);
}

export async function debugRoutes(request: Request, admin: AdminCall): Promise<Response> {
  return debug.fetch(request, admin);
}

async function logs({ env, req }: Context<Bindings>): Promise<Response> {
  const query = logQuery.safeParse({
    source: req.query("source") ?? req.query("id"),
    after: req.query("after"),
  });
  if (!query.success)
    return fail(400, "invalid_query", "source is gateway or supervisor, after a number.");
  const { after } = query.data;
  const asked = { source: query.data.source, ...(after === undefined ? {} : { after }) };
  return ofSandbox(env.agent.logs(asked), (lines) => ok(ADMIN_API.logs, { lines }));
}

function badDevice(): Response {
  return fail(400, "invalid_device", "A device id is 64 lowercase hexadecimal digits.");
}
