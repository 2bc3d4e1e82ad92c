/**
 * The Worker's own calls to the Bot API (https://core.telegram.org/bots/api#making-requests). An
 * error's text never holds the token, whose only place is the address.
 */
import * as z from "zod";
import type { TelegramSettings } from "./settings.ts";

export type BotReply =
  | { ok: true; result: unknown }
  /** `code` is Telegram's or, without an answer, undefined. */
  | { ok: false; code?: number; reason: string; retryAfterMs?: number };

const reply = z.union([
  z.object({ ok: z.literal(true), result: z.unknown() }),
  z.object({
    ok: z.literal(false),
    error_code: z.number(),
    description: z.string(),
    parameters: z.object({ retry_after: z.number().optional() }).optional(),
  }),
]);

const CALL_MS = 10_000;
/** A batch of a hundred updates, the largest answer that is asked for, stays far below. */
const MAX_ANSWER_BYTES = 16 * 1024 ** 2;

export class BotApi {
  readonly #settings: TelegramSettings;
  readonly #fetch: typeof fetch;

  constructor(settings: TelegramSettings, reach: typeof fetch) {
    this.#settings = settings;
    this.#fetch = reach;
  }

  async call(
    method: string,
    params: Record<string, unknown> = {},
    limit: { ms?: number; signal?: AbortSignal } = {},
  ): Promise<BotReply> {
    const { apiUrl, token } = this.#settings;
    const deadline = AbortSignal.timeout(limit.ms ?? CALL_MS);
    try {
      const response = await this.#fetch(`${apiUrl}/bot${token}/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(params),
        redirect: "manual",
        signal: limit.signal === undefined ? deadline : AbortSignal.any([deadline, limit.signal]),
      });
      const length = Number(response.headers.get("content-length") ?? 0);
      if (length > MAX_ANSWER_BYTES) {
        await response.body?.cancel();
        return { ok: false, reason: "Telegram's answer is too long." };
      }
      const parsed = reply.safeParse(await response.json());
      if (!parsed.success) {
        return { ok: false, reason: `Telegram's answer (${response.status}) is not understood.` };
      }
      if (parsed.data.ok) return parsed.data;
      const { error_code: code, description, parameters } = parsed.data;
      const wait = parameters?.retry_after;
      return {
        ok: false,
        code,
        reason: description.slice(0, 300),
        ...(wait === undefined ? {} : { retryAfterMs: wait * 1_000 }),
      };
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      const reason = said.replaceAll(token, "…").slice(0, 300);
      return { ok: false, reason: `Telegram could not be reached: ${reason}` };
    }
  }
}
