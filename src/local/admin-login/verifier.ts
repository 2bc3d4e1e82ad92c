/**
 * The admin login on this machine: a one-time link, then a cookie. Fails closed: another `Host` than
 * the ones this port was opened under (DNS rebinding) is refused before anything else.
 */
import type { AdminCheck, AdminVerifier } from "../../worker/access/admin.ts";
import { cookieHeader, cookieValues } from "../../worker/access/cookies.ts";
import { createSessionKeeper, SESSION_SECONDS } from "../../worker/access/session.ts";
import { ownHeaders } from "../../worker/replies.ts";
import { isAdminCode } from "./code.ts";

export const ADMIN_COOKIE = "moltworker_admin";
/** Whoever opened the link: on one's own machine there is nobody else. */
const LOCAL_ADMIN = "local";
export const LOGIN_PATH = "/_admin/login";

export interface LocalAdmin {
  /** Random, made anew by each start: a restart ends every admin session and every unused link. */
  secret: string;
  /** `host:port` as a browser sends it. */
  hosts: readonly string[];
  redeem(code: string): Promise<boolean>;
}

export function localAdminVerifier({ secret, hosts, redeem }: LocalAdmin): AdminVerifier {
  const sessions = createSessionKeeper(secret, "admin");

  async function login(code: string, now: number): Promise<AdminCheck> {
    if (!(await isAdminCode(secret, code)) || !(await redeem(code))) {
      return refused(
        "This link was used before or is from an earlier start. Stop npm start with Ctrl-C and start it again for a new link.",
      );
    }
    const cookie = cookieHeader(ADMIN_COOKIE, await sessions.issue(now), {
      secure: false,
      maxAge: SESSION_SECONDS,
      sameSite: "Strict",
    });
    return {
      ...refused("logged in"),
      respond: page(cookie),
      signedIn: LOCAL_ADMIN,
    };
  }

  return {
    async verify(request, now) {
      const url = new URL(request.url);
      if (!hosts.includes(url.host) || !hosts.includes(request.headers.get("host") ?? url.host)) {
        return { ok: false, status: 421, reason: "This port does not answer to that host name." };
      }
      const code = url.searchParams.get("code");
      if (url.pathname === LOGIN_PATH && request.method === "GET" && code !== null) {
        return login(code, now);
      }
      for (const value of cookieValues(request, ADMIN_COOKIE)) {
        if ((await sessions.check(value, now)).ok)
          return { ok: true, identity: { name: LOCAL_ADMIN } };
      }
      return refused("Open the admin link that npm start printed. It works once, for 24 hours.");
    },
  };
}

function refused(reason: string): Extract<AdminCheck, { ok: false }> {
  return { ok: false, status: 401, reason };
}

/** A strict cookie set by a redirect from elsewhere is not sent along that redirect: a page, then. */
function page(cookie: string): Response {
  return new Response(
    '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/_admin/"><title>moltworker</title><a href="/_admin/">moltworker</a>',
    {
      headers: ownHeaders({
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Set-Cookie": cookie,
      }),
    },
  );
}
