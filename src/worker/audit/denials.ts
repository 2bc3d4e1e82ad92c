/**
 * Attempts that were refused, summed in the isolate and handed on at most once a minute: a flood of
 * them is a few rows, not as many writes. The first one of a quiet time is handed on at once; what
 * was summed after it goes along with the next request that is let in, or the next refused one.
 */
import type { AuditKind } from "../../protocol/admin-audit.ts";
import type { NewAuditEntry } from "./calls.ts";

const PAUSE_MS = 60_000;
const MAX_CLIENTS = 20;
const OTHERS = "(others)";

export interface Denials {
  count(denial: { kind: AuditKind; from: string; detail: string }, now: number): void;
  /** What is to be written now; it is forgotten here. */
  take(now: number): NewAuditEntry[];
}

export function createDenials(): Denials {
  const sums = new Map<string, NewAuditEntry>();
  let writtenAt = Number.NEGATIVE_INFINITY;

  return {
    count({ kind, from, detail }, now) {
      // A clock that was set back must not hold the sums for ever.
      if (writtenAt > now) writtenAt = now;
      const own = `${kind} ${from}`;
      const roomy = sums.has(own) || sums.size < MAX_CLIENTS;
      const key = roomy ? own : `${kind} ${OTHERS}`;
      const sum = sums.get(key);
      sums.set(key, {
        kind,
        who: "",
        from: roomy ? from : OTHERS,
        detail,
        times: (sum?.times ?? 0) + 1,
      });
    },

    take(now) {
      if (sums.size === 0 || now - writtenAt < PAUSE_MS) return [];
      writtenAt = now;
      const due = [...sums.values()];
      sums.clear();
      return due;
    },
  };
}
