/**
 * The browser binding: Cloudflare's Browser Run, or this machine's Chromium behind the same
 * interface (https://developers.cloudflare.com/browser-run/cdp/session-management/).
 */
import * as z from "zod";
import { within } from "../deadline.ts";

/** The part of the binding that is used: its HTTP interface. */
export interface BrowserBinding {
  fetch(input: string, init?: RequestInit): Promise<Response>;
}

export type Acquired =
  | { ok: true; sessionId: string }
  /** @param retryAfter seconds until it is worth trying again */
  | { ok: false; reason: "limit"; retryAfter: number; message: string }
  | { ok: false; reason: "unreachable"; message: string };

const id = z.string().regex(/^[0-9a-f-]{36}$/);
const acquired = z.object({ sessionId: id });
const activeSession = z.object({
  sessionId: id,
  startTime: z.number().optional(),
  connectionId: z.string().nullish(),
});
const endedSession = z.object({
  sessionId: id,
  endTime: z.number().nullish(),
  closeReasonText: z.string().nullish(),
});
const target = z.looseObject({ id: z.string(), type: z.string(), url: z.string() });
const limits = z.object({ timeUntilNextAllowedBrowserAcquisition: z.number() });
const problem = z.object({ error: z.string() });

export type ActiveSession = z.infer<typeof activeSession>;
export type EndedSession = z.infer<typeof endedSession>;
export type Target = z.infer<typeof target>;

const ORIGIN = "http://browser";
const CALL_DEADLINE_MS = 15_000;
const ACQUIRE_DEADLINE_MS = 45_000;
const DEFAULT_RETRY_S = 2;
const LONGEST_RETRY_S = 60;

export class BrowserService {
  readonly #binding: BrowserBinding;

  constructor(binding: BrowserBinding) {
    this.#binding = binding;
  }

  async acquire(keepAliveMs: number): Promise<Acquired> {
    const path = `/v1/devtools/browser?keep_alive=${keepAliveMs}`;
    const reply = await this.#call(path, "POST", ACQUIRE_DEADLINE_MS);
    if (reply.ok) return { ok: true, ...acquired.parse(await reply.json()) };
    const message = await errorOf(reply);
    if (reply.status !== 429) return { ok: false, reason: "unreachable", message };
    const retryAfter = Number(reply.headers.get("retry-after")) || (await this.#untilNext());
    return {
      ok: false,
      reason: "limit",
      retryAfter: Math.min(LONGEST_RETRY_S, Math.max(1, Math.ceil(retryAfter))),
      message,
    };
  }

  /** Every session of the account or machine; those of others among them. */
  async active(): Promise<ActiveSession[]> {
    return z.array(activeSession).parse(await this.#json("/v1/devtools/session"));
  }

  async history(): Promise<EndedSession[]> {
    return z.array(endedSession).parse(await this.#json("/v1/history"));
  }

  /** Undefined when the service knows no such session. */
  async session(sessionId: string): Promise<ActiveSession | undefined> {
    const reply = await this.#call(`/v1/devtools/session/${sessionId}`);
    if (reply.status === 404) return undefined;
    if (!reply.ok) throw new Error(await errorOf(reply));
    return activeSession.nullable().parse(await reply.json()) ?? undefined;
  }

  async targets(sessionId: string): Promise<Target[]> {
    return z.array(target).parse(await this.#json(`/v1/devtools/browser/${sessionId}/json/list`));
  }

  /** A call of DevTools' own HTTP interface, such as `/json/version`. */
  devtools(sessionId: string, call: string, method: "GET" | "PUT"): Promise<Response> {
    return this.#call(`/v1/devtools/browser/${sessionId}${call}`, method);
  }

  /** The upgrade's answer, with the socket untouched. */
  async connect(sessionId: string, targetId: string | undefined): Promise<Response> {
    const page = targetId === undefined ? "" : `/page/${targetId}`;
    return within(
      "the browser",
      CALL_DEADLINE_MS,
      this.#binding.fetch(`${ORIGIN}/v1/devtools/browser/${sessionId}${page}`, {
        headers: { Upgrade: "websocket" },
      }),
    );
  }

  async close(sessionId: string): Promise<void> {
    const reply = await this.#call(`/v1/devtools/browser/${sessionId}`, "DELETE");
    if (!reply.ok && reply.status !== 404) throw new Error(await errorOf(reply));
  }

  async #untilNext(): Promise<number> {
    try {
      const known = limits.parse(await this.#json("/v1/limits"));
      return known.timeUntilNextAllowedBrowserAcquisition / 1_000;
    } catch {
      return DEFAULT_RETRY_S;
    }
  }

  async #json(path: string): Promise<unknown> {
    const reply = await this.#call(path);
    if (!reply.ok) throw new Error(await errorOf(reply));
    return reply.json();
  }

  #call(path: string, method = "GET", deadline = CALL_DEADLINE_MS): Promise<Response> {
    return within("the browser", deadline, this.#binding.fetch(`${ORIGIN}${path}`, { method }));
  }
}

/** What the service says is wrong. */
export async function errorOf(reply: Response): Promise<string> {
  const text = await reply.text();
  try {
    return problem.parse(JSON.parse(text)).error.slice(0, 300);
  } catch {
    return `The browser service answered ${reply.status}.`;
  }
}
