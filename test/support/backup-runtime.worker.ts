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
import { keysOf } from "../../src/worker/backups/cipher.ts";
import { exportArchive } from "../../src/worker/backups/export.ts";
import { configOf } from "../../src/worker/config.ts";

export { Outbound } from "../../src/worker/egress/outbound.ts";

const agentId = "main";

export class Agent extends DurableObject {
  backups;

  constructor(ctx, env) {
    super(ctx, env);
    migrate(ctx.storage.sql);
    const records = new RecordStore(ctx.storage.sql, agentId);
    const nobody = async () => new Response(null, { status: 503 });
    const control = new ControlPort(nobody, BUDGET, () => env.CONTROL_TOKEN);
    this.backups = new AgentBackups(env, agentId, records, control, () => undefined);
  }

  claim(start) {
    return this.backups.claim(start);
  }

  async backup(caller, call) {
    if (caller.token !== this.env.CONTROL_TOKEN) {
      return { ok: false, reason: "unauthorised", message: "That is not the control token." };
    }
    return this.backups.answer(caller.startGeneration, call);
  }

  planOfNewest() {
    const { backups } = this.backups.health();
    return this.backups.exportPlan(backups?.lastGeneration ?? 0);
  }
}

let startGeneration = 0;
let packsExported = 0;

export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    const agent = env.AGENT.getByName(agentId);
    const [, asked, number] =
      /^\/__(claim|export|exported|plain)(?:\/(\d+))?$/.exec(pathname) ?? [];
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
      case "plain":
        return plain(request, number, env.BACKUPS);
    }
    const outbound = ctx.exports.Outbound({ props: { agentId, startGeneration } });
    return outbound.fetch(new Request(`http://backup.moltworker.internal${pathname}`, request));
  },
};

/** As the admin API does it. */
async function exported(planned, env) {
  const parsed = configOf(env);
  if (!planned.ok || !parsed.ok) return Response.json({ planned, parsed }, { status: 500 });
  const keys = await keysOf(parsed.config);
  const bucket = {
    get(key) {
      packsExported += 1;
      return env.BACKUPS.get(key);
    },
  };
  const archive = await exportArchive(planned.plan, { agentId, bucket, keys });
  return archive.ok ? new Response(archive.value) : Response.json(archive, { status: 500 });
}

/** What a bucket costs by itself. */
async function plain(request, key, bucket) {
  if (request.method === "PUT") {
    await bucket.put(key, request.body);
    return new Response(null, { status: 204 });
  }
  return new Response((await bucket.get(key)).body);
}
