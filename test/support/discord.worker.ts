/**
 * Discord's channel with its real inbox in a Durable Object under real workerd; the sandbox is a
 * switch. What the sandbox would send is taken at `/sandbox/…`: calls through the real access, and the
 * socket to the façade.
 */
import { DurableObject } from "cloudflare:workers";
import { ChannelsRoom } from "../../src/worker/channels/channels.ts";
import { discordAccess } from "../../src/worker/channels/discord/access.ts";
import { DiscordChannel } from "../../src/worker/channels/discord/channel.ts";
import type { DiscordSettings } from "../../src/worker/channels/discord/settings.ts";
import { createLogger } from "../../src/worker/logger.ts";

interface Env {
  ROOM: DurableObjectNamespace<Room>;
  SETTINGS: DiscordSettings;
  OWNER: string;
}

export class Room extends DurableObject<Env> {
  readonly #room: ChannelsRoom;
  #awake = false;
  #mark = 0;
  #ahead = 0;
  readonly #alerts: string[] = [];
  wakes = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#room = new ChannelsRoom({
      sql: ctx.storage.sql,
      agentId: "main",
      innerToken: "inner",
      open: (host) => [new DiscordChannel(env.SETTINGS, host("discord"))],
      strangerWakes: 1,
      owners: [{ channel: "discord", id: env.OWNER }],
      log: createLogger([env.SETTINGS.token]),
      fetch: (input, init) => fetch(input, init),
      now: () => Date.now() + this.#ahead,
      waitUntil: (work) => ctx.waitUntil(work),
      readyStart: () => (this.#awake ? 1 : undefined),
      takingStart: () => (this.#awake ? 1 : undefined),
      look: async () => undefined,
      wake: async () => {
        this.wakes += 1;
      },
      post: async () => ({ ok: false, reason: "there is no listener" }),
      mark: async () => (this.#mark += 1),
      call: async () => ({ ok: false, reason: "there is no gateway" }),
      touch: () => undefined,
      alert: (text) => this.#alerts.push(text),
      changed: () => ctx.waitUntil(this.#schedule()),
    });
    ctx.waitUntil(this.#schedule());
  }

  async #schedule(): Promise<void> {
    const at = this.#room.tendAt;
    if (at !== undefined) await this.ctx.storage.setAlarm(at);
  }

  override async alarm(): Promise<void> {
    await this.#room.tend();
    await this.#schedule();
  }

  override async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (request.headers.get("upgrade") !== null) {
      return this.#room.connect("discord", url) ?? new Response(null, { status: 403 });
    }
    const [, , act = ""] = url.pathname.split("/");
    if (act === "awake") {
      this.#awake = url.searchParams.get("is") === "true";
      this.#room.attend();
    }
    if (act === "later") {
      this.#ahead += Number(url.searchParams.get("ms"));
      await this.#room.tend();
    }
    if (act === "drop") {
      for (const { n } of (await this.#room.overview()).letters) await this.#room.dropLetter(n);
    }
    if (act === "tell") await this.#room.tellOwner(url.searchParams.get("text") ?? "");
    if (act === "keep") this.#room.kept(1, this.#mark);
    if (act === "bar") await this.#room.bar("discord", url.searchParams.get("id") ?? "", true);
    if (act === "evict") this.ctx.abort("evicted by the test");
    return Response.json({
      ...(await this.#room.overview()),
      wakes: this.wakes,
      alerts: this.#alerts,
    });
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url);
    const room = env.ROOM.getByName("main");
    if (!url.pathname.startsWith("/sandbox/")) return room.fetch(request);
    if (request.headers.get("upgrade") !== null) return room.fetch(request);
    const path = url.pathname.slice("/sandbox".length);
    const host = request.headers.get("x-host") ?? "discord.com";
    const headers = new Headers(request.headers);
    headers.delete("x-host");
    const asked = new Request(`https://${host}${path}${url.search}`, {
      method: request.method,
      headers,
      body: request.body,
    });
    return discordAccess(env.SETTINGS).answer(asked, (input, init) => fetch(input, init));
  },
};
