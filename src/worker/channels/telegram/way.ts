import type { ChannelState } from "../channel.ts";
import type { BotReply } from "./api.ts";

/** How updates come in, and whether they do. */
export type WayState = Pick<ChannelState, "connection" | "error">;

/** What a refusal of Telegram means to a person. */
export function problemOf(answer: Extract<BotReply, { ok: false }>): string {
  if (answer.code === 401 || answer.code === 404) {
    return "Telegram does not know this token. Copy TELEGRAM_BOT_TOKEN from @BotFather again.";
  }
  if (answer.code === 409) {
    return `Another program asks for this bot's messages as well; stop it. (${answer.reason})`;
  }
  return answer.reason;
}

const WAITS_MS = [2_000, 5_000, 15_000, 60_000, 300_000] as const;

/** @param failures in a row, at least one */
export function waitAfter(failures: number, answer: Extract<BotReply, { ok: false }>): number {
  const wait = WAITS_MS[Math.min(failures, WAITS_MS.length) - 1] ?? 0;
  return Math.max(wait, answer.retryAfterMs ?? 0);
}
