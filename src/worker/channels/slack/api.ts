/**
 * The Worker's own calls to Slack's Web API (https://docs.slack.dev/apis/web-api/). Tokens travel in
 * a header only, so that an error's text never holds one.
 */
import * as z from "zod";
import type { SlackSettings } from "./settings.ts";

export type SlackReply =
  | { ok: true; result: Record<string, unknown> }
  /** `error` is Slack's word for it; undefined without an understood answer. */
  | { ok: false; error?: string; reason: string; retryAfterMs?: number };

const reply = z.looseObject({
  ok: z.boolean(),
  error: z.string().optional(),
  needed: z.string().optional(),
});
const CALL_MS = 10_000;
const MAX_ANSWER_BYTES = 1024 ** 2;

/** What Slack's words mean to the person who set it up. */
const MEANINGS: Record<string, string> = {
  invalid_auth: "Slack does not know this token. Copy it from the app's page again.",
  token_revoked: "The token was revoked. Install the app to the workspace again and copy it.",
  token_expired: "The token has expired. Copy a new one from the app's page.",
  account_inactive: "The app was removed from the workspace. Install it again.",
  not_allowed_token_type: "This is another kind of token than is needed here.",
};

export class SlackApi {
  readonly #settings: SlackSettings;
  readonly #fetch: typeof fetch;

  constructor(settings: SlackSettings, reach: typeof fetch) {
    this.#settings = settings;
    this.#fetch = reach;
  }

  call(method: string, params: Record<string, unknown> = {}): Promise<SlackReply> {
    return this.#call(method, this.#settings.botToken, params);
  }

  /** With the app's own token, which the bot never has. */
  callAsApp(method: string): Promise<SlackReply> {
    return this.#call(method, this.#settings.appToken ?? "", {});
  }

  /** Answers a slash command or an interaction; the address is good for half an hour. */
  async respond(responseUrl: string, message: object): Promise<void> {
    const answer = await this.#fetch(this.#addressOf(responseUrl), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(message),
      redirect: "manual",
      signal: AbortSignal.timeout(CALL_MS),
    });
    await answer.body?.cancel();
  }

  #addressOf(responseUrl: string): string {
    const url = new URL(responseUrl);
    if (url.origin !== "https://hooks.slack.com") throw new Error("not an address of Slack's");
    return slackAddress(url, this.#settings);
  }

  async #call(method: string, token: string, params: Record<string, unknown>): Promise<SlackReply> {
    try {
      const response = await this.#fetch(`${this.#settings.apiUrl}/${method}`, {
        method: "POST",
        headers: {
          "content-type": "application/json; charset=utf-8",
          authorization: `Bearer ${token}`,
        },
        body: JSON.stringify(params),
        redirect: "manual",
        signal: AbortSignal.timeout(CALL_MS),
      });
      if (Number(response.headers.get("content-length") ?? 0) > MAX_ANSWER_BYTES) {
        await response.body?.cancel();
        return { ok: false, reason: "Slack's answer is too long." };
      }
      const parsed = reply.safeParse(await response.json().catch(() => undefined));
      const wait = Number(response.headers.get("retry-after") ?? 0);
      const retry = wait > 0 ? { retryAfterMs: wait * 1_000 } : {};
      if (!parsed.success) {
        const reason = `Slack's answer (${response.status}) is not understood.`;
        return { ok: false, reason, ...retry };
      }
      if (parsed.data.ok) return { ok: true, result: parsed.data };
      const { error = "unknown_error", needed } = parsed.data;
      const scope = needed === undefined ? "" : ` Add the scope ${needed.slice(0, 100)}.`;
      const meaning = MEANINGS[error] === undefined ? "" : `: ${MEANINGS[error]}`;
      return { ok: false, error, reason: `${error.slice(0, 100)}${meaning}${scope}`, ...retry };
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      return { ok: false, reason: `Slack could not be reached: ${said.slice(0, 200)}` };
    }
  }
}

/** Where an address of Slack's really is: behind a relay all of its hosts are one. */
export function slackAddress(url: URL, { apiUrl }: SlackSettings): string {
  const origin = new URL(apiUrl).hostname === "slack.com" ? url.origin : new URL(apiUrl).origin;
  return `${origin}${url.pathname}${url.search}`;
}
