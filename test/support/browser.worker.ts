/** The Worker's app and outbound door around a Durable Object that holds nothing but a browser room. */
import { DurableObject, RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
import { createApp } from "../../src/worker/app.ts";
import { closedAdmin } from "../../src/worker/access/admin.ts";
import { BROWSER_LIMITS, BrowserRoom } from "../../src/worker/browser/room.ts";
import { configOf } from "../../src/worker/config.ts";
import type { Env } from "../../src/worker/env.ts";

export { Outbound } from "../../src/worker/egress/outbound.ts";

/** The start whose interceptor the tests take for the agent's present one. */
const START_GENERATION = 3;

class Open extends RpcTarget {
  async held(): Promise<boolean> {
    return false;
  }
}

interface TestEnv extends Env {
  WAIT_MS: string;
}

export class Agent extends DurableObject<TestEnv> {
  readonly #browser: BrowserRoom;
  readonly #denied: unknown[] = [];
  #ahead = 0;

  constructor(ctx: DurableObjectState, env: TestEnv) {
    super(ctx, env);
    const parsed = configOf(env);
    this.#browser = new BrowserRoom({
      sql: ctx.storage.sql,
      agentId: "main",
      binding: env.BROWSER,
      startGeneration: () => START_GENERATION,
      outside: true,
      dayCapMs: parsed.ok ? parsed.config.browser.dayCapMs : undefined,
      limits: { ...BROWSER_LIMITS, watch: 300, wait: Number(env.WAIT_MS) },
      now: () => Date.now() + this.#ahead,
    });
  }

  later(ms: number): void {
    this.#ahead += ms;
  }

  get browser(): BrowserRoom {
    return this.#browser;
  }

  get egress(): Open {
    return new Open();
  }

  record(entries: unknown[]): void {
    this.#denied.push(...entries);
  }

  taken(): unknown[] {
    return this.#denied.splice(0);
  }

  stopped(): Promise<void> {
    return this.#browser.agentStopped();
  }
}

const app = createApp({
  version: "test",
  adminVerifier: closedAdmin,
  clientAddress: () => "198.51.100.7",
  faces: () => ({ agent: true, admin: false }),
  now: Date.now,
});

/** The agent's port, straight to the app. */
export class Outside extends WorkerEntrypoint<Env> {
  override fetch(request: Request): Promise<Response> {
    return app.fetch(request, this.env, this.ctx);
  }
}

/** What a sandbox of the present start reaches as `browser.moltworker.internal`. */
export class Inside extends WorkerEntrypoint<Env> {
  override fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const generation = Number(request.headers.get("x-test-generation") ?? START_GENERATION);
    const props = { agentId: "main", startGeneration: generation };
    const target = new URL(`${url.pathname}${url.search}`, "http://browser.moltworker.internal");
    const headers = new Headers(request.headers);
    headers.set("x-moltworker-cdp-host", url.host);
    return this.ctx.exports
      .Outbound({ props })
      .fetch(new Request(target, new Request(request, { headers })));
  }
}

interface Door {
  AGENT: {
    getByName(name: string): {
      taken(): Promise<unknown[]>;
      stopped(): Promise<void>;
      later(ms: number): Promise<void>;
      browser: BrowserRoom;
    };
  };
}

/** What the tests ask of the room. */
export class Control extends WorkerEntrypoint<Door> {
  override async fetch(request: Request): Promise<Response> {
    const agent = this.env.AGENT.getByName("main");
    const url = new URL(request.url);
    switch (url.pathname) {
      case "/overview":
        return Response.json(await agent.browser.overview());
      case "/release":
        return Response.json(await agent.browser.release(url.searchParams.get("id") ?? ""));
      case "/stopped":
        await agent.stopped();
        return Response.json({ ok: true });
      case "/later":
        await agent.later(Number(url.searchParams.get("ms")));
        return Response.json({ ok: true });
      default:
        return Response.json(await agent.taken());
    }
  }
}

export default app;
