/**
 * The door to the agent: who holds the gateway token, a cookie made from it, the credential of an app,
 * or none of them. Fails closed: no branch lets a request in that did not prove one of them.
 */
import type { Config } from "../config.ts";
import { DEFAULT_AGENT_ID } from "../../protocol/names.ts";
import { cookieHeader, cookieValues, SESSION_COOKIE } from "./cookies.ts";
import { createFailureLimiter } from "./failures.ts";
import { isUpgrade } from "../limits.ts";
import type { Journal } from "./journal.ts";
import { checkOrigin, isForeign, publicOrigin } from "./origin.ts";
import {
  createAppKeeper,
  createSessionKeeper,
  isAppCredential,
  SESSION_SECONDS,
  sessionId,
  type SessionCheck,
} from "./session.ts";
import { sameSecret } from "./token.ts";

/** By what somebody was let in, for the Durable Object, which may have ended it. */
export interface Holder {
  /** When the session began. */
  sessionIssuedAt?: number;
  app?: { id: string; credential: string };
}

export type Entry =
  | { ok: true; holder: Holder }
  | { ok: false; reason: "none" | "expired" | "wrong-token" }
  | { ok: false; reason: "limited"; retryAfter: number }
  | { ok: false; reason: "cross-origin" };

type Tried =
  | { ok: true; holder: Holder }
  | { ok: false; reason: "wrong-token" }
  | { ok: false; reason: "limited"; retryAfter: number };

export interface Visit {
  request: Request;
  url: URL;
  client: string;
  now: number;
  journal: Journal;
}

export interface Gate {
  /** @param tokenParam whether `?token=` counts: for WebSocket upgrades of programs */
  enter(visit: Visit, tokenParam: boolean): Promise<Entry>;
  /** Trades a token for the value of a `Set-Cookie` header. */
  trade(
    visit: Visit,
    token: string,
  ): Promise<{ ok: true; cookie: string } | Extract<Tried, { ok: false }>>;
  /** A new app's credential, and the part of it that may be stored. */
  issueApp(now: number): Promise<{ id: string; credential: string }>;
  /** The `Set-Cookie` value that keeps an app's credential in a phone's browser. */
  appCookie(visit: Visit, credential: string): string;
  /** The `Set-Cookie` value that ends a session in this browser. */
  forget(visit: Visit): string;
  ownOrigins(url: URL): string[];
  publicOrigin(url: URL): string;
}

/** The longest that browsers keep a cookie (RFC 6265bis). */
const APP_COOKIE_SECONDS = 400 * 24 * 60 * 60;

export function createGate(config: Config): Gate {
  // While a token is being replaced, the one before opens the door as well; what is handed out is only
  // ever made with the present one, so that taking the old one away ends what came in by it.
  const tokens = [config.gatewayToken, ...config.previousGatewayTokens];
  const sessions = createSessionKeeper(config.gatewayToken, DEFAULT_AGENT_ID);
  const apps = createAppKeeper(config.gatewayToken, DEFAULT_AGENT_ID);
  const { previousGatewayTokens: earlier } = config;
  const sessionKeepers = [
    sessions,
    ...earlier.map((token) => createSessionKeeper(token, DEFAULT_AGENT_ID)),
  ];
  const appKeepers = [apps, ...earlier.map((token) => createAppKeeper(token, DEFAULT_AGENT_ID))];
  const failures = createFailureLimiter();

  const seenOrigin = (url: URL): string => publicOrigin(url, config.workerOrigins);
  const ownOrigins = (url: URL): string[] => [...new Set([url.origin, seenOrigin(url)])];
  const isSecure = (url: URL): boolean => seenOrigin(url).startsWith("https:");
  const cookie = (url: URL, value: string, maxAge: number): string =>
    cookieHeader(SESSION_COOKIE, value, { secure: isSecure(url), maxAge, sameSite: "Lax" });

  async function tryToken(visit: Visit, token: string): Promise<Tried> {
    const retryAfter = failures.retryAfter(visit.client, visit.now);
    if (retryAfter !== undefined) return { ok: false, reason: "limited", retryAfter };
    const same = await Promise.all(tokens.map((known) => sameSecret(token, known)));
    if (same.includes(true)) return { ok: true, holder: {} };
    return refuse(visit);
  }

  /** What a program sends of itself: the gateway token, or its own credential. */
  async function tryCredential(visit: Visit, given: string): Promise<Tried> {
    if (!isAppCredential(given)) return tryToken(visit, given);
    const check = await checked(given, visit.now);
    if (check.ok) return { ok: true, holder: holderOf(given, check.issuedAt) };
    const retryAfter = failures.retryAfter(visit.client, visit.now);
    return retryAfter === undefined ? refuse(visit) : { ok: false, reason: "limited", retryAfter };
  }

  function refuse(visit: Visit): Tried {
    failures.failed(visit.client, visit.now);
    visit.journal.denied("sign-in-refused", "");
    return { ok: false, reason: "wrong-token" };
  }

  /** What the present token's keeper says, unless the one before knows the value. */
  async function checked(value: string, now: number): Promise<SessionCheck> {
    const keepers = isAppCredential(value) ? appKeepers : sessionKeepers;
    const checks = await Promise.all(keepers.map((keeper) => keeper.check(value, now)));
    return checks.find(({ ok }) => ok) ?? checks[0] ?? { ok: false, reason: "absent" };
  }

  return {
    ownOrigins,
    publicOrigin: seenOrigin,

    async enter(visit, tokenParam) {
      const { request, url } = visit;
      let expired = false;
      for (const value of cookieValues(request, SESSION_COOKIE)) {
        const check = await checked(value, visit.now);
        if (check.ok) {
          const origin = checkOrigin(request, ownOrigins(url));
          return origin.ok
            ? { ok: true, holder: holderOf(value, check.issuedAt) }
            : { ok: false, reason: "cross-origin" };
        }
        expired ||= check.reason === "expired" || check.reason === "signature";
      }
      const [, bearer] =
        /^bearer +(\S+) *$/i.exec(request.headers.get("authorization") ?? "") ?? [];
      if (bearer !== undefined) return tryCredential(visit, bearer);
      // A page of another site must not use up the tries of whoever looks at it; a header it cannot set.
      if (isUpgrade(request) && isForeign(request, ownOrigins(url))) {
        return { ok: false, reason: "cross-origin" };
      }
      const param = tokenParam ? url.searchParams.get("token") : null;
      if (param !== null) return tryCredential(visit, param);
      return { ok: false, reason: expired ? "expired" : "none" };
    },

    async trade(visit, token) {
      const tried = await tryToken(visit, token);
      if (!tried.ok) return tried;
      const value = await sessions.issue(visit.now);
      visit.journal.signedIn({ id: sessionId(value), issuedAt: visit.now });
      return { ok: true, cookie: cookie(visit.url, value, SESSION_SECONDS) };
    },

    async issueApp(now) {
      const credential = await apps.issue(now);
      return { id: sessionId(credential), credential };
    },

    appCookie: (visit, credential) => cookie(visit.url, credential, APP_COOKIE_SECONDS),
    forget: (visit) => cookie(visit.url, "", 0),
  };
}

function holderOf(value: string, issuedAt: number): Holder {
  return isAppCredential(value)
    ? { app: { id: sessionId(value), credential: value } }
    : { sessionIssuedAt: issuedAt };
}
