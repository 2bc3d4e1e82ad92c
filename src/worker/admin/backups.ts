/** `/api/backups*`: the generations of an agent, and what an admin may do with them. */
import { Hono } from "hono";
import * as z from "zod";
import {
  afreshBody,
  BACKUPS_API,
  oneGeneration,
  verifyBody,
} from "../../protocol/admin-backups.ts";
import { exportArchive } from "../backups/export.ts";
import { recoveryKit } from "../backups/recovery-kit.ts";
import { keysOf } from "../backups/cipher.ts";
import { within } from "../deadline.ts";
import { ownHeaders } from "../replies.ts";
import { call, fail, readBody } from "../json-call.ts";
import { lasting, ok, type Bindings } from "./calls.ts";
import { importsApi } from "./imports.ts";

const BACKUP_DEADLINE_MS = 120_000;

const empty = z.strictObject({});

export const backupsApi = new Hono<Bindings>();
backupsApi.route("/", importsApi);

backupsApi.get("/api/backups", async ({ env }) => {
  const reply = await call(env.agent.backups.list());
  return reply.ok ? ok(BACKUPS_API.backups, reply) : fail(503, "backups_unavailable", reply.reason);
});

backupsApi.post("/api/backups", async (context) => {
  const body = await readBody(context, empty);
  if (body instanceof Response) return body;
  const { agent, by, from } = context.env;
  const reply = await within("the agent", BACKUP_DEADLINE_MS, agent.backups.backUpNow());
  if (!reply.ok) return fail(409, "refused", reply.reason);
  const detail = reply.generation === undefined ? "" : `generation ${reply.generation}`;
  await call(agent.audit.record([{ kind: "backup-made", who: by, from, detail, times: 1 }]));
  return ok(BACKUPS_API.backUpNow, reply);
});

backupsApi.post("/api/backups/restore", async (context) => {
  const body = await readBody(context, oneGeneration);
  if (body instanceof Response) return body;
  const { generation } = body;
  const work = context.env.agent.backups.restore(generation);
  return lasting(context, work, "backup-restored", `generation ${generation}`);
});

backupsApi.post("/api/backups/verify", async (context) => {
  const body = await readBody(context, verifyBody);
  if (body instanceof Response) return body;
  const work = context.env.agent.backups.verify(body.generation);
  return lasting(context, work, "backup-verified", `generation ${body.generation ?? "newest"}`);
});

backupsApi.post("/api/backups/prune", async (context) => {
  const body = await readBody(context, empty);
  if (body instanceof Response) return body;
  return lasting(context, context.env.agent.backups.prune(), "backups-pruned");
});

backupsApi.post("/api/backups/afresh", async (context) => {
  const body = await readBody(context, afreshBody);
  if (body instanceof Response) return body;
  return lasting(context, context.env.agent.backups.startAfresh(), "started-afresh");
});

/** The bytes come from here and not from the sandbox: it may sleep. */
backupsApi.get("/api/backups/:generation{[1-9][0-9]{0,8}}/archive", async ({ env, req }) => {
  const { agent, bucket, config, agentId, by, from } = env;
  const generation = Number(req.param("generation"));
  const plan = await call(agent.backups.exportPlan(generation));
  if (!plan.ok || bucket === undefined) {
    return fail(409, "refused", plan.ok ? "No bucket is bound." : plan.reason);
  }
  const keys = await keysOf(config);
  const archive = await exportArchive(plan.plan, { agentId, bucket, keys });
  if (!archive.ok && archive.reason === "busy") return fail(409, "refused", archive.message);
  if (!archive.ok) return fail(503, "backups_unavailable", archive.message);
  const detail = `generation ${generation}`;
  await call(agent.audit.record([{ kind: "backup-exported", who: by, from, detail, times: 1 }]));
  return new Response(archive.value, {
    headers: ownHeaders({
      "Content-Type": "application/gzip",
      "Content-Disposition": `attachment; filename="openclaw-${agentId}-${generation}.tar.gz"`,
    }),
  });
});

backupsApi.post("/api/backups/recovery-kit", async (context) => {
  const body = await readBody(context, empty);
  if (body instanceof Response) return body;
  const { agent, config, agentId, by, from } = context.env;
  // Noted before it is handed out: an answer that is lost on the way does not count as never given.
  const leave = await call(agent.backups.takeRecoveryKit());
  if (!leave.ok) return fail(409, "refused", leave.reason);
  await call(agent.audit.record([{ kind: "recovery-kit", who: by, from, detail: "", times: 1 }]));
  const text = recoveryKit({ agentId, keys: await keysOf(config), now: Date.now() });
  return ok(BACKUPS_API.recoveryKit, { name: `moltworker-recovery-${agentId}.txt`, text });
});
