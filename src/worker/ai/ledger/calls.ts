/** What the AI gateway and the ledger in the agent's Durable Object say to each other. Plain data. */
import type {
  RaiseRequest,
  RoutingSettings,
  SpendSettingsChange,
} from "../../../protocol/spend-settings.ts";
import type {
  CallsQuery,
  CallTexts,
  DaysQuery,
  ModelsOverview,
  RoutingReply,
  SpendCall,
  SpendDay,
  SpendOverview,
} from "../../../protocol/spend.ts";
import type { CallFacts } from "../call-facts.ts";
import type { ProviderId } from "../providers.ts";
import type { UsageReport } from "../usage.ts";

/** A place a call may go to. */
export interface Candidate {
  provider: ProviderId;
  model: string;
}

/** A metered call before it is made. */
export interface CallStart extends Omit<CallFacts, "model"> {
  /** Ours, the same for every attempt of one call. */
  requestId: string;
  /** As the agent asked. */
  asked: Candidate;
  /** Tokens that a beta lets the model write beyond its usual maximum; absent: none is asked for. */
  betaOutput?: number;
  /** Of the request as it came. */
  cacheKey: string;
}

export interface CapReached {
  period: "day" | "month";
  unit: "usd" | "tokens";
  cap: number;
  /** Spent and reserved together. */
  used: number;
}

export type Reserved =
  | {
      ok: true;
      /** The row of the attempt. */
      n: number;
      /** All choices together may write no more than this; absent: as asked. */
      outputLimit?: number;
    }
  | { ok: false; reason: "cap"; reached: CapReached };

export interface CachedAnswer {
  contentType: string;
  body: ArrayBuffer;
}

/** The answer to a call's beginning. */
export type Opened =
  /** The panic button holds the agent: nothing may leave. */
  | { to: "nowhere" }
  | { to: "cache"; answer: CachedAnswer }
  | {
      to: "provider";
      /** In the order in which they are to be tried; the reservation is for the first. */
      candidates: Candidate[];
      reserved: Reserved;
      /** How long a place may take to its first byte while another one is left, in milliseconds. */
      patienceMs?: number;
      /** Whether a good answer may be kept. */
      cache: boolean;
      /** Whether excerpts of what is said are wanted. */
      texts: boolean;
    };

export type Settlement = {
  n: number;
  status?: number;
  /** Why there is no good answer, in one word. */
  reason?: string;
  firstByteMs?: number;
  totalMs: number;
  providerRequestId?: string;
  /** For the next identical request. */
  cache?: { key: string; answer: CachedAnswer };
  /** Excerpts, cleared of secrets. */
  texts?: CallTexts;
  /** The provider itself is in trouble; too much of it, and it is skipped for a while. */
  trouble?: boolean;
} & (
  | { state: "free" }
  | { state: "unsettled" }
  /** `settled` with the provider's own counts; `estimated` where they say what was read, not what was written. */
  | { state: "settled" | "estimated"; usage: UsageReport }
);

export interface SpendCalls {
  open(call: CallStart): Promise<Opened>;
  /** For a retry or the next candidate. */
  reserve(call: CallStart, candidate: Candidate, attempt: number): Promise<Reserved>;
  settle(settlement: Settlement): Promise<void>;
  overview(): Promise<SpendOverview>;
  calls(query: CallsQuery): Promise<SpendCall[]>;
  days(query: DaysQuery): Promise<SpendDay[]>;
  /** Undefined where none were kept, or no longer. */
  texts(n: number): Promise<CallTexts | undefined>;
  change(change: SpendSettingsChange): Promise<void>;
  raise(raise: RaiseRequest): Promise<Changed>;
  models(): Promise<ModelsOverview>;
  setRouting(routing: RoutingSettings): Promise<RoutingReply | Refused>;
}

export interface Refused {
  ok: false;
  reason: string;
  /** Where the page has words of its own for it. */
  code?: "fallback_format";
}
export type Changed = { ok: true } | Refused;
