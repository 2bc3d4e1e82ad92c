/**
 * The Worker's own calls to Discord's REST API
 * (https://docs.discord.com/developers/reference#authentication). The token travels in a header only.
 */
import * as z from "zod";
import { VERSION } from "../../version.ts";
import type { DiscordSettings } from "./settings.ts";

export type DiscordReply =
  | { ok: true; result: unknown }
  /** `status` is undefined without an answer. */
  | {
      ok: false;
      status?: number;
      reason: string;
      retryAfterMs?: number;
      /** The limit is one on all calls of the bot. */
      everything?: boolean;
    };

const problem = z.object({
  message: z.string().optional(),
  retry_after: z.number().nonnegative().optional(),
  global: z.boolean().optional(),
});

const CALL_MS = 10_000;
/** How long a call that should not be lost waits for a limit to pass. */
const PATIENCE_MS = 10_000;
/** Without a word of how long. */
const LIMITED_MS = 5_000;
const EVERYTHING = "*";
const MAX_ANSWER_CHARS = 4 * 1024 ** 2;
/**
 * The page is that of the agent which the bot is.
 * https://docs.discord.com/developers/reference#user-agent
 */
const USER_AGENT = `DiscordBot (https://www.npmjs.com/package/openclaw, ${VERSION})`;

export class DiscordApi {
  readonly #settings: DiscordSettings;
  readonly #outside: { fetch: typeof fetch; now(): number };
  /** What Discord asked to be left alone, and until when. */
  readonly #limited = new Map<string, number>();

  constructor(settings: DiscordSettings, outside: { fetch: typeof fetch; now(): number }) {
    this.#settings = settings;
    this.#outside = outside;
  }

  /** Waits once for as long as Discord asks, unless that is long. */
  async patiently(method: "GET" | "POST", path: string, body?: unknown): Promise<DiscordReply> {
    const answer = await this.call(method, path, body);
    const wait = answer.ok || answer.status !== 429 ? Infinity : (answer.retryAfterMs ?? Infinity);
    if (wait > PATIENCE_MS) return answer;
    await scheduler.wait(wait);
    return this.call(method, path, body);
  }

  /**
   * What Discord asked to be left alone is not asked for before its time: answered here, as Discord would.
   * https://docs.discord.com/developers/topics/rate-limits
   */
  async call(method: "GET" | "POST", path: string, body?: unknown): Promise<DiscordReply> {
    const route = `${method} ${path.replace(/\?.*$/, "")}`;
    const wait = this.#waitFor(route);
    if (wait > 0) {
      return { ok: false, status: 429, reason: "Discord asked to wait.", retryAfterMs: wait };
    }
    const answer = await this.#ask(method, path, body);
    if (!answer.ok && answer.status === 429) {
      const { everything, retryAfterMs = LIMITED_MS } = answer;
      const until = this.#outside.now() + retryAfterMs;
      this.#limited.set(everything === true ? EVERYTHING : route, until);
    }
    return answer;
  }

  /** In milliseconds. */
  #waitFor(route: string): number {
    const now = this.#outside.now();
    for (const [name, until] of this.#limited) if (until <= now) this.#limited.delete(name);
    const until = [EVERYTHING, route].map((name) => this.#limited.get(name) ?? now);
    return Math.max(...until) - now;
  }

  async #ask(method: "GET" | "POST", path: string, body: unknown): Promise<DiscordReply> {
    const { apiUrl, token } = this.#settings;
    try {
      const response = await this.#outside.fetch(`${apiUrl}${path}`, {
        method,
        headers: {
          authorization: `Bot ${token}`,
          "user-agent": USER_AGENT,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: "manual",
        signal: AbortSignal.timeout(CALL_MS),
      });
      const text = await response.text();
      if (text.length > MAX_ANSWER_CHARS) {
        return { ok: false, status: response.status, reason: "Discord's answer is too long." };
      }
      if (response.ok) return { ok: true, result: parseJson(text) };
      const {
        message = "",
        retry_after: said,
        global,
      } = problem.safeParse(parseJson(text)).data ?? {};
      const wait = said ?? Number(response.headers.get("retry-after") ?? Number.NaN);
      return {
        ok: false,
        status: response.status,
        reason: meaningOf(response.status, message.slice(0, 200)),
        ...(Number.isFinite(wait) ? { retryAfterMs: Math.ceil(wait * 1_000) } : {}),
        ...(global === true ? { everything: true } : {}),
      };
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      const reason = said.replaceAll(token, "…").slice(0, 300);
      return { ok: false, reason: `Discord could not be reached: ${reason}` };
    }
  }
}

function meaningOf(status: number, message: string): string {
  if (status === 401) {
    return "Discord does not know this token. Copy DISCORD_BOT_TOKEN from the Bot page of your application again.";
  }
  return `Discord answered ${status}: ${message}`;
}

function parseJson(text: string): unknown {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
