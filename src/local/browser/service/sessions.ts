/**
 * The browser sessions of this machine: each is a Chromium of its own. Bounded in number; one that
 * nobody uses for its keep-alive time ends, and one whose Chromium dies is gone.
 */
import { randomUUID } from "node:crypto";
import type { Chromium } from "../chromium/chromium.ts";

export interface BrowserSession {
  id: string;
  chromium: Chromium;
  /** Milliseconds since the epoch, as all times here. */
  startTime: number;
  /** Open WebSockets. */
  connections: number;
  connectionId?: string;
  connectionStartTime?: number;
  lastUsed: number;
  keepAliveMs: number;
}

export interface EndedSession {
  sessionId: string;
  startTime: number;
  endTime: number;
  closeReasonText: "NormalClosure" | "BrowserIdle" | "BrowserCrashed";
}

export interface Sessions {
  acquire(keepAliveMs: number): Promise<BrowserSession | "limit">;
  get(id: string): BrowserSession | undefined;
  list(): BrowserSession[];
  /** Newest first. */
  history(): EndedSession[];
  close(id: string): Promise<void>;
  closeAll(): Promise<void>;
}

export interface SessionsParts {
  start(id: string): Promise<Chromium>;
  most: number;
  now(): number;
  /** How often idle sessions are looked for, in milliseconds. */
  watchEvery: number;
}

const HISTORY = 100;

export function createSessions(parts: SessionsParts): Sessions {
  const open = new Map<string, BrowserSession>();
  const ended: EndedSession[] = [];
  const starting = new Set<Promise<unknown>>();
  let closed = false;

  function noteEnd(
    session: BrowserSession,
    closeReasonText: EndedSession["closeReasonText"],
  ): void {
    if (!open.delete(session.id)) return;
    ended.unshift({
      sessionId: session.id,
      startTime: session.startTime,
      endTime: parts.now(),
      closeReasonText,
    });
    ended.length = Math.min(ended.length, HISTORY);
  }

  async function end(
    session: BrowserSession,
    reason: EndedSession["closeReasonText"],
  ): Promise<void> {
    noteEnd(session, reason);
    await session.chromium.close();
  }

  async function begin(keepAliveMs: number): Promise<BrowserSession> {
    const id = randomUUID();
    const chromium = await parts.start(id);
    const now = parts.now();
    const session = { id, chromium, startTime: now, connections: 0, lastUsed: now, keepAliveMs };
    open.set(id, session);
    void chromium.exited.then(() => noteEnd(session, "BrowserCrashed"));
    if (closed) await end(session, "NormalClosure");
    return session;
  }

  const watch = setInterval(() => {
    for (const session of open.values()) {
      if (parts.now() - session.lastUsed > session.keepAliveMs) void end(session, "BrowserIdle");
    }
  }, parts.watchEvery);
  watch.unref();

  return {
    async acquire(keepAliveMs) {
      if (closed || open.size + starting.size >= parts.most) return "limit";
      const started = begin(keepAliveMs);
      starting.add(started);
      try {
        return await started;
      } finally {
        starting.delete(started);
      }
    },
    get: (id) => open.get(id),
    list: () => [...open.values()],
    history: () => ended,
    async close(id) {
      const session = open.get(id);
      if (session !== undefined) await end(session, "NormalClosure");
    },
    async closeAll() {
      closed = true;
      clearInterval(watch);
      await Promise.allSettled(starting);
      await Promise.all([...open.values()].map((session) => end(session, "NormalClosure")));
    },
  };
}
