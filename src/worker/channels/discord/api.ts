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
  | { ok: false; status?: number; reason: string; retryAfterMs?: number };

const problem = z.object({
  message: z.string().optional(),
  retry_after: z.number().nonnegative().optional(),
});

const CALL_MS = 10_000;
const MAX_ANSWER_CHARS = 4 * 1024 ** 2;
/**
 * The page is that of the agent which the bot is.
 * https://docs.discord.com/developers/reference#user-agent
 */
const USER_AGENT = `DiscordBot (https://www.npmjs.com/package/openclaw, ${VERSION})`;

export class DiscordApi {
  readonly #settings: DiscordSettings;
  readonly #fetch: typeof fetch;

  constructor(settings: DiscordSettings, reach: typeof fetch) {
    this.#settings = settings;
    this.#fetch = reach;
  }

  async call(method: "GET" | "POST", path: string, body?: unknown): Promise<DiscordReply> {
    const { apiUrl, token } = this.#settings;
    try {
      const response = await this.#fetch(`${apiUrl}${path}`, {
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
      const { message = "", retry_after: wait } = problem.safeParse(parseJson(text)).data ?? {};
      return {
        ok: false,
        status: response.status,
        reason: meaningOf(response.status, message.slice(0, 200)),
        ...(wait === undefined ? {} : { retryAfterMs: Math.ceil(wait * 1_000) }),
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
