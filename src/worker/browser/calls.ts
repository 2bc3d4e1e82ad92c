/** What the CDP proxy and the browser room in the agent's Durable Object say to each other. */
import type { BrowserHolder, BrowserOverview } from "../../protocol/browser.ts";
import type { Done } from "../done.ts";

/** Who asks for a browser, as the door they came through knows it. */
export interface BrowserCaller {
  holder: BrowserHolder;
  /** The address a program outside came from; empty for the agent. */
  from: string;
  /** The start whose interceptor the call came through; only for the agent. */
  startGeneration?: number;
}

/** `shared` is the caller's one usual session, `fresh` one of its own, else a session's id. */
export type WantedSession = "shared" | "fresh" | { id: string };

export type Opened =
  | { ok: true; sessionId: string }
  | {
      ok: false;
      reason: "off" | "stale" | "cap" | "limit" | "expired" | "unreachable";
      message: string;
      /** Seconds. */
      retryAfter?: number;
    };

export interface BrowserCalls {
  open(caller: BrowserCaller, wanted: WantedSession): Promise<Opened>;
  /** The caller's live sessions, the usual one first. */
  sessionsOf(caller: BrowserCaller): Promise<string[]>;
  /** The service knows the session no more. */
  gone(sessionId: string): Promise<void>;
  overview(): Promise<BrowserOverview>;
  release(sessionId: string): Promise<Done>;
}
