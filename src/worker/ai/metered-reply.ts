/** Replies to a metered call that are no answer under way: from the cache, or a failure. */
import type { Outcome } from "./attempt.ts";
import type { Reply } from "./call-context.ts";
import type { CachedAnswer, CallStart, CapReached } from "./ledger/calls.ts";
import { noRoute, printable } from "./place.ts";

export function cached(answer: CachedAnswer, call: CallStart): Reply {
  return {
    ok: true,
    response: new Response(answer.body, {
      headers: {
        "content-type": answer.contentType,
        "x-moltworker-cache": "hit",
        "x-moltworker-request-id": call.requestId,
        "x-moltworker-route": `${printable(call.asked)}; way=cache; attempt=0`,
      },
    }),
  };
}

export function failed(outcome: Outcome, headers: Record<string, string>): Reply {
  if (!outcome.ok) return { ok: false, failure: outcome.failure, headers };
  for (const [name, value] of Object.entries(headers)) outcome.headers.set(name, value);
  const { status } = outcome;
  const body = outcome.answer.kind === "error" ? outcome.answer.body : null;
  return { ok: true, response: new Response(body, { status, headers: outcome.headers }) };
}

export function capped(reached: CapReached, call: CallStart): Reply {
  return {
    ok: false,
    failure: { reason: "cap-reached", reached },
    headers: {
      "x-moltworker-request-id": call.requestId,
      "x-moltworker-route": noRoute(printable(call.asked)),
    },
  };
}
