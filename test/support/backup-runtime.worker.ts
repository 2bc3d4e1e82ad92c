/**
 * The Worker's side of the backups as workerd runs it: the product's own door for what leaves a sandbox,
 * and its backups in a Durable Object, over R2. Who asks comes in over HTTP and is taken for the sandbox
 * of the start that claimed last; without a container there is no other.
 */
import { DurableObject } from "cloudflare:workers";
import { AgentBackups } from "../../src/worker/agent/backups/agent-backups.ts";
import { BUDGET } from "../../src/worker/agent/budget.ts";
import { ControlPort } from "../../src/worker/agent/control.ts";
import { RecordStore } from "../../src/worker/agent/store/records.ts";
import { migrate } from "../../src/worker/agent/store/schema.ts";
import type { ClaimedBackups } from "../../src/worker/agent/start.ts";
import type { ExportPlanReply } from "../../src/worker/backups/admin-calls.ts";
import type { BackupAnswer, BackupCall, BackupCaller } from "../../src/worker/backups/calls.ts";
import { keysOf } from "../../src/worker/backups/cipher.ts";
import { exportArchive } from "../../src/worker/backups/export.ts";
import { configOf } from "../../src/worker/config.ts";
import { Outbound as Door, type OutboundProps } from "../../src/worker/egress/outbound.ts";
import type { AgentNamespace, Env } from "../../src/worker/env.ts";

const agentId = "main";

interface Agents {
  getByName(name: string): {
    claim(start: number): Promise<ClaimedBackups>;
    planOfNewest(): Promise<ExportPlanReply>;
  };
}

interface TestEnv extends Env {
  AGENT: Agents & AgentNamespace;
  BACKUPS: R2Bucket;
  CONTROL_TOKEN: string;
}

const calls = { get: 0, put: 0, head: 0, list: 0, delete: 0 };
type Call = keyof typeof calls;

/** The bucket, with every call of it counted. */
function counted(bucket: R2Bucket, count: (call: Call) => void): R2Bucket {
  return new Proxy(bucket, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        if (isCall(name)) count(name);
        return Reflect.apply(value, target, args);
      };
    },
  });
}

function isCall(name: string | symbol): name is Call {
  return typeof name === "string" && Object.hasOwn(calls, name);
}

function countedEnv(env: TestEnv): TestEnv {
  return { ...env, BACKUPS: counted(env.BACKUPS, (call) => void calls[call]++) };
}

export class Outbound extends Door {
  constructor(ctx: ExecutionContext<OutboundProps>, env: TestEnv) {
    super(ctx, countedEnv(env));
  }
}

export class Agent extends DurableObject<TestEnv> {
  readonly backups: AgentBackups;

  constructor(ctx: DurableObjectState, env: TestEnv) {
    super(ctx, env);
    migrate(ctx.storage.sql);
    const records = new RecordStore(ctx.storage.sql, agentId);
    const nobody = async () => new Response(null, { status: 503 });
    const control = new ControlPort(nobody, BUDGET, () => env.CONTROL_TOKEN);
    this.backups = new AgentBackups(countedEnv(env), agentId, records, control, () => undefined);
  }

  claim(start: number): Promise<ClaimedBackups> {
    return this.backups.claim(start);
  }

  async backup(caller: BackupCaller, call: BackupCall): Promise<BackupAnswer> {
    if (caller.token !== this.env.CONTROL_TOKEN) {
      return { ok: false, reason: "unauthorised", message: "That is not the control token." };
    }
    return this.backups.answer(caller.startGeneration, call);
  }

  planOfNewest(): Promise<ExportPlanReply> {
    const { backups } = this.backups.health();
    return this.backups.exportPlan(backups?.lastGeneration ?? 0);
  }
}

let startGeneration = 0;
let packsExported = 0;

export default {
  async fetch(request: Request, env: TestEnv, ctx: ExecutionContext): Promise<Response> {
    const { pathname } = new URL(request.url);
    const agent = env.AGENT.getByName(agentId);
    const [, asked, number = ""] =
      /^\/__(claim|export|exported|used|plain)(?:\/(\d+))?$/.exec(pathname) ?? [];
    switch (asked) {
      case "claim": {
        startGeneration = Number(number);
        const claimed = await agent.claim(startGeneration);
        return Response.json(claimed, { status: claimed.ok ? 200 : 500 });
      }
      case "export":
        return exported(await agent.planOfNewest(), env);
      case "exported":
        return Response.json(packsExported);
      case "used":
        return Response.json({ calls, storedBytes: await storedBytes(env.BACKUPS) });
      case "plain":
        return plain(request, number, env.BACKUPS);
    }
    const outbound = ctx.exports.Outbound({ props: { agentId, startGeneration } });
    return outbound.fetch(new Request(`http://backup.moltworker.internal${pathname}`, request));
  },
};

/** As the admin API does it. */
async function exported(planned: ExportPlanReply, env: TestEnv): Promise<Response> {
  const parsed = configOf(env);
  if (!planned.ok || !parsed.ok) return Response.json({ planned, parsed }, { status: 500 });
  const keys = await keysOf(parsed.config);
  const bucket = counted(env.BACKUPS, (call) => {
    if (call === "get") packsExported += 1;
  });
  const archive = await exportArchive(planned.plan, { agentId, bucket, keys });
  return archive.ok ? new Response(archive.value) : Response.json(archive, { status: 500 });
}

async function storedBytes(bucket: R2Bucket): Promise<number> {
  let [bytes, cursor]: [number, string | undefined] = [0, undefined];
  do {
    const page = await bucket.list(cursor === undefined ? {} : { cursor });
    for (const { size } of page.objects) bytes += size;
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return bytes;
}

/** What a bucket costs by itself. */
async function plain(request: Request, key: string, bucket: R2Bucket): Promise<Response> {
  if (request.method === "PUT") {
    await bucket.put(key, request.body);
    return new Response(null, { status: 204 });
  }
  const found = await bucket.get(key);
  return found === null ? new Response(null, { status: 404 }) : new Response(found.body);
}
