/** What an attempt without a good answer means: for the next step, and for the ledger. Pure. */
import type { Outcome } from "./attempt.ts";
import type { Settlement } from "./ledger/calls.ts";
import { isTrouble, type Attempted } from "./retry.ts";

export function attemptedOf(outcome: Outcome): Attempted {
  if (outcome.ok) return { status: outcome.status, headers: outcome.headers };
  const { failure } = outcome;
  if (failure.reason === "unreadable-error") return { status: failure.status };
  return { reason: failure.reason };
}

/** Whoever stood between gave up waiting: no word of the provider's own. */
const TIMED_OUT: ReadonlySet<number> = new Set([408, 499, 504, 524]);

/**
 * A refusal costs nothing. Where the request went out and no answer came, the provider may have
 * worked on it, and nobody will say so: it counts in full.
 */
export function failedSettlement(n: number, outcome: Outcome, totalMs: number): Settlement {
  const attempted = attemptedOf(outcome);
  const end = {
    n,
    totalMs,
    ...(attempted.status === undefined ? {} : { status: attempted.status }),
    ...(attempted.reason === undefined ? {} : { reason: attempted.reason }),
    ...(attempted.reason === "cancelled" ? {} : { trouble: isTrouble(attempted) }),
    ...(outcome.ok && outcome.requestId !== undefined
      ? { providerRequestId: outcome.requestId }
      : {}),
  };
  const { status, reason } = attempted;
  if (reason === "redirected" || (status !== undefined && !TIMED_OUT.has(status))) {
    return { ...end, state: "free" };
  }
  const failure = outcome.ok ? undefined : outcome.failure;
  if (failure?.reason === "unreachable" && !failure.sent) return { ...end, state: "free" };
  return { ...end, state: "unsettled" };
}
