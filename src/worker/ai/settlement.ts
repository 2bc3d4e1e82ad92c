/** How a call that was begun is told to the ledger: read along, once at its end. */
import type { Settlement } from "./ledger/calls.ts";
import { MAX_CACHED_BYTES } from "./ledger/answer-cache.ts";
import type { Excerpt } from "./excerpt.ts";
import { EventReader } from "./sse.ts";
import type { TapEnd, TapListener } from "./tap.ts";
import { UsageMeter, type Metered, type UsageReport } from "./usage.ts";

/** A body that is no stream is kept this far to read its usage; beyond, its upper bound counts. */
const MAX_READ_BYTES = 16 * 1_048_576;

export interface Begun {
  n: number;
  /** What it reads may grow while it is answered, where it is `remote`. */
  call: Metered & { remote: boolean };
  status: number;
  contentType: string;
  providerRequestId?: string;
  began: number;
  firstByteMs: number;
  /** Keeps a complete good answer under this key. */
  cacheKey?: string;
  /** What is said is kept in it. */
  excerpt?: Excerpt;
  now(): number;
  settle(settlement: Settlement): void;
}

export function settleAtEnd(begun: Begun): TapListener {
  const meter = new UsageMeter(begun.call);
  const events = begun.contentType.includes("text/event-stream")
    ? new EventReader((data) => {
        meter.hear(data);
        begun.excerpt?.hear(data);
      })
    : undefined;
  const keepUpTo = Math.max(
    events === undefined ? MAX_READ_BYTES : 0,
    begun.cacheKey === undefined ? 0 : MAX_CACHED_BYTES,
  );
  let kept: Uint8Array[] = [];
  let size = 0;
  return {
    chunk(bytes) {
      size += bytes.byteLength;
      events?.write(bytes);
      if (size <= keepUpTo) kept.push(bytes.slice());
      else kept = [];
    },
    end(how) {
      const whole = size <= keepUpTo ? joined(kept, size) : undefined;
      if (events !== undefined) events.end();
      else if (whole !== undefined) {
        const text = new TextDecoder().decode(whole);
        meter.hear(text);
        begun.excerpt?.hear(text);
      }
      begun.settle(settlementOf(begun, meter.report(), how, whole));
    },
  };
}

function settlementOf(
  begun: Begun,
  usage: UsageReport,
  how: TapEnd,
  whole: Uint8Array<ArrayBuffer> | undefined,
): Settlement {
  const good = how === "complete" && usage.final && !usage.failed;
  const reason = usage.failed ? "failed-in-stream" : reasonOf(how);
  const end = {
    n: begun.n,
    ...countedBy(begun, usage),
    status: begun.status,
    firstByteMs: begun.firstByteMs,
    totalMs: begun.now() - begun.began,
    ...(reason === undefined ? {} : { reason }),
    ...(begun.providerRequestId === undefined
      ? {}
      : { providerRequestId: begun.providerRequestId }),
    ...(begun.excerpt === undefined ? {} : { texts: begun.excerpt.texts }),
    // The caller's own leaving says nothing about the provider.
    ...(how === "cancelled" ? {} : { trouble: how === "broken" || usage.failed }),
  };
  if (
    good &&
    begun.cacheKey !== undefined &&
    whole !== undefined &&
    whole.length <= MAX_CACHED_BYTES
  ) {
    return {
      ...end,
      cache: {
        key: begun.cacheKey,
        answer: { contentType: begun.contentType, body: whole.buffer },
      },
    };
  }
  return end;
}

/** Without the provider's last word, what was delivered says nothing: much of it may be hidden. */
function countedBy({ call }: Begun, usage: UsageReport) {
  if (usage.final) return { state: "settled", usage } as const;
  return call.remote || usage.usage === undefined
    ? ({ state: "unsettled" } as const)
    : ({ state: "estimated", usage } as const);
}

function reasonOf(how: TapEnd): string | undefined {
  if (how === "complete") return undefined;
  return how === "broken" ? "stream-broken" : "cancelled";
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
