/**
 * What a turn of OpenClaw's is told when its call was tried here to the end and refused.
 *
 * OpenClaw repeats such a call once (see `session-settings.ts` of the supervisor), after as long as
 * `retry-after` says or else about a second. The person waits meanwhile, and the repeat has nothing to find
 * that was not found here. So a turn is told without that header, and its repeat gets the same refusal at once,
 * without asking anybody. Its status and its body stay the provider's own. Whatever else calls, a program of
 * the agent's, is told as it is.
 */
import type { Reply } from "./call-context.ts";
import { isTrouble } from "./retry.ts";

/** Sent by the gateway with each of its model calls, because its configuration says so. */
export const TURN_HEADER = "x-moltworker-turn";
/** Longer than OpenClaw takes to repeat a call, and soon over for the next message. */
const KEPT_MS = 5_000;

interface Kept {
  reply: () => Reply;
  until: number;
}

export class TurnRefusals {
  readonly #kept = new Map<string, Kept>();

  /** The refusal for the repeat of this call, once. */
  take(key: string, now: number): Reply | undefined {
    for (const [other, { until }] of this.#kept) if (until <= now) this.#kept.delete(other);
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    return kept?.reply();
  }

  /** @returns what the turn is told */
  async tell(key: string, reply: Reply, now: () => number): Promise<Reply> {
    const again = await repeatable(reply);
    if (again === undefined) return reply;
    this.#kept.set(key, { reply: again, until: now() + KEPT_MS });
    return again();
  }
}

/** Undefined for an answer, and for what OpenClaw does not repeat. */
async function repeatable(reply: Reply): Promise<(() => Reply) | undefined> {
  if (!reply.ok) {
    const { reason } = reply.failure;
    return reason === "redirected" || reason === "unreadable-error" ? () => reply : undefined;
  }
  const { status } = reply.response;
  if (!isTrouble({ status })) return undefined;
  const headers = new Headers(reply.response.headers);
  headers.delete("retry-after");
  headers.delete("retry-after-ms");
  // An error's body is bounded, and was read whole before.
  const body = await reply.response.arrayBuffer();
  return () => ({ ok: true, response: new Response(body, { status, headers }) });
}
