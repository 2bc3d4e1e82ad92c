import type { AgentCalls } from "./agent-calls.ts";
import type { BrowserBinding } from "./browser/service.ts";

/**
 * What the runtime hands the Worker and the Durable Object. Strings are settings and secrets: only
 * `config.ts` reads them, everything else takes the parsed `Config`.
 */
export interface Env {
  /** One Durable Object per agent, named by the agent id. */
  AGENT: AgentNamespace;
  /** The Control UI's files and our own static files. */
  ASSETS: Fetcher;
  /** The bucket that keeps every agent's backups; without it nothing is kept. */
  BACKUPS?: R2Bucket;
  /** Browser Run, or this machine's Chromium; without it browsing is off. */
  BROWSER?: BrowserBinding;
  /** A shorter way to the network than the global `fetch`, which is used without it. */
  INTERNET?: { fetch: typeof fetch };
  [setting: string]: unknown;
}

/** The part of a Durable Object namespace that rooms use; calls go through `AgentCalls` only. */
export interface AgentNamespace {
  getByName(agentId: string): AgentCalls;
}
