/** The agent's Durable Object under real workerd, with short waits and a door for the tests. */
import { WorkerEntrypoint } from "cloudflare:workers";
import { Agent as ProductAgent } from "../../src/worker/agent/agent.ts";
import { closedAdmin } from "../../src/worker/access/admin.ts";
import { NO_ADDRESS } from "../../src/worker/access/forward.ts";
import { BUDGET, type Budget } from "../../src/worker/agent/budget.ts";
import { createApp } from "../../src/worker/app.ts";
import { MAX_LETTERS } from "../../src/worker/channels/store/letters.ts";
import { answerWebhook } from "../../src/worker/channels/webhooks.ts";
import { configOf } from "../../src/worker/config.ts";
import type { AgentNamespace } from "../../src/worker/env.ts";
import { facesByHost } from "../../src/worker/guard.ts";
import { callOf, endOf } from "./seeded-spend.worker.ts";

/** How far the clock is ahead of the time. */
let ahead = 0;
const { now } = Date;
Date.now = () => now() + ahead;

export class Agent extends ProductAgent {
  protected override budget(): Budget {
    return {
      ...BUDGET,
      answer: 6_000,
      hello: 500,
      gateway: 5_500,
      gatewayGrace: 500,
      control: 3_000,
      drain: 3_000,
      requestWait: 30_000,
      keepAlive: 400,
      unanswered: 200,
      startWatch: 200,
      sleepRetry: 300,
      activityWrite: 100,
      retry: [5_000, 7_500],
    };
  }

  channelsNow() {
    return this.channels.overview();
  }

  retryLetter(n: number) {
    return this.channels.retryLetter(n);
  }

  dropLetter(n: number) {
    return this.channels.dropLetter(n);
  }

  /** As many dead letters of somebody who was let in as the inbox holds. */
  fillInbox(): void {
    this.ctx.storage.sql.exec(
      `INSERT INTO channel_letters (agent_id, n, channel, event_id, kind, preview, headers, body, at,
         wakes, state, tries, next_at)
       WITH RECURSIVE each(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM each WHERE n < ?)
       SELECT 'main', 1000000 + n, 'slack', 'full' || n, 'direct', '', '{}', '{}', 0, 1, 'dead', 3, 0
       FROM each`,
      MAX_LETTERS,
    );
  }

  emptyInbox(): void {
    this.ctx.storage.sql.exec("DELETE FROM channel_letters");
  }

  /** Nothing else is done for so long. */
  async hold(ms: number): Promise<void> {
    await this.ctx.blockConcurrencyWhile(() => scheduler.wait(ms));
  }

  /** A call that costs something, under a cap that is already passed. */
  async passCap(): Promise<void> {
    const model = { provider: "anthropic", model: "claude-opus-5", wire: "messages" } as const;
    const opened = await this.spend.open(callOf(0, model));
    if (opened.to === "provider" && opened.reserved.ok) {
      await this.spend.settle(endOf(opened.reserved.n, 0));
    }
    await this.spend.change({ caps: { dayUsd: 0.000_001 } });
  }

  /** As if the last restore and the last look for old generations had been a day earlier. */
  ageBackups(): void {
    this.ctx.storage.sql.exec(
      `UPDATE agent_settings SET value = json_set(value,
         '$.newestVerifiedAt', json_extract(value, '$.newestVerifiedAt') - 90000000,
         '$.prunedAt', 0)
       WHERE name = 'backups.backups'`,
    );
  }

  /** What the alarm does for the channels, as if so many milliseconds had passed. */
  async tendLater(ms: number): Promise<void> {
    ahead = ms;
    await this.channels.tend().finally(() => (ahead = 0));
  }

  /** The platform does not end a sandbox the next so many times it is asked. */
  refuseEnds(times: number): void {
    const { container } = this.ctx;
    if (container === undefined) throw new Error("There is no container.");
    const ended = container.destroy.bind(container);
    let left = times;
    container.destroy = (reason?: unknown) => {
      left -= 1;
      return left < 0 ? ended(reason) : Promise.reject(new Error("The platform does not answer."));
    };
  }

  /** The platform takes no timeout any more, and does not say so. */
  stallTimeouts(): void {
    const { container } = this.ctx;
    if (container === undefined) throw new Error("There is no container.");
    container.setInactivityTimeout = () => new Promise(() => undefined);
  }

  /** As if the panic button were pressed, and the Durable Object ended before it had done anything more. */
  async panicEvicted(): Promise<void> {
    this.ctx.storage.sql.exec(
      "INSERT OR REPLACE INTO agent_settings VALUES ('main', 'panic', ?)",
      JSON.stringify({ at: Date.now(), by: "somebody" }),
    );
    await this.ctx.storage.sync();
    this.ctx.abort("evicted by the test");
  }

  /**
   * What the platform does to a Durable Object that it moves or evicts. Not while it asks for its
   * container: a local workerd lets no object in again that ended in those milliseconds.
   */
  async evict(): Promise<void> {
    while ((await this.status()).phase === "starting") await scheduler.wait(20);
    this.ctx.abort("evicted by the test");
  }
}

export class Outbound extends WorkerEntrypoint<
  object,
  { agentId: string; startGeneration: number }
> {
  override fetch(request: Request): Response {
    return Response.json({ url: request.url, props: this.ctx.props });
  }
}

type Method = (...args: unknown[]) => Promise<unknown>;

interface Door {
  /** Methods of the Durable Object, and rooms with methods of their own. */
  getByName(name: string): Record<string, Method & Record<string, Method>> & {
    fetch(request: Request): Promise<Response>;
  };
}

const app = createApp({
  ...{ version: "test", adminVerifier: closedAdmin, faces: facesByHost, now: Date.now },
  clientAddress: () => NO_ADDRESS,
});

export default {
  scheduled: app.scheduled,
  async fetch(request: Request, env: { AGENT: Door & AgentNamespace }): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/healthz") return new Response("ok");
    if (pathname.startsWith("/webhooks/")) return webhook(request, env);
    const agent = env.AGENT.getByName("main");
    const [, first, second] = /^\/__call\/(\w+)(?:\.(\w+))?$/.exec(pathname) ?? [];
    if (first === undefined) return agent.fetch(request);
    try {
      const args = await request.json<unknown[]>();
      const found = second === undefined ? agent[first] : agent[first]?.[second];
      return Response.json({ value: (await found?.(...args)) ?? null });
    } catch (error) {
      return Response.json({ error: String(error) });
    }
  },
};

/** As the Worker's own route does, which has no guard of its own either. */
async function webhook(request: Request, env: { AGENT: AgentNamespace }): Promise<Response> {
  const parsed = configOf(env);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const [, , channel = "", ...rest] = new URL(request.url).pathname.split("/");
  return answerWebhook({
    ...{ request, channel, rest: rest.join("/"), now: Date.now() },
    ...{ settings: parsed.config.channels, agentId: "main", agent: env.AGENT.getByName("main") },
  });
}
