/** What a model call may use besides its request, and what comes of it. */
import type { Logger } from "../logger.ts";
import type { Redact } from "../redaction.ts";
import type { Failure } from "./failure.ts";
import type { SpendCalls } from "./ledger/calls.ts";
import type { AiConfig } from "./providers.ts";

export interface ModelCallContext {
  config: AiConfig;
  agentId: string;
  startGeneration: number;
  /** The spend room of the agent's Durable Object. */
  spend: SpendCalls;
  /** Keeps the Worker up until the ledger knows the end of a call. */
  waitUntil(work: Promise<unknown>): void;
  fetch?: typeof fetch;
  log?: Logger;
  /** The panic button. A metered call hears of it with its reservation, everything else asks. */
  hold: {
    /** The refusal while it holds the agent, or while nobody can say. */
    ask(): Promise<Response | undefined>;
    refusal(): Response;
  };
  /** Clears excerpts, where they are kept, of the Worker's own secrets. */
  redact: Redact;
  /** In place of the provider's own, in milliseconds. */
  firstByteMs?: number;
  /** In place of the usual time that a request's body may take. */
  bodyMs?: number;
  /** In place of the usual silence after which a stream is taken for dead. */
  idleMs?: number;
  /** In place of the usual limit. */
  maxRequestBytes?: number;
}

/** What came of a call, and in whose words a failure is told. */
export type Reply =
  | { ok: true; response: Response }
  | { ok: false; failure: Failure; headers?: Record<string, string> };
