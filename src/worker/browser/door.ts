/**
 * The door of `/cdp/*` for programs outside: the CDP secret, in a header. Fails closed: without
 * CDP_SECRET the address does not exist.
 */
import type { BrowserConfig } from "../config/browser.ts";
import { createFailureLimiter } from "../access/failures.ts";
import type { Visit } from "../access/gate.ts";
import { sameSecret } from "../access/token.ts";
import { errorReply, notFound } from "../replies.ts";

export interface CdpDoor {
  /** A refusal, or undefined for leave to go on. */
  refuse(visit: Visit): Promise<Response | undefined>;
}

export const CDP_SECRET_HEADER = "X-CDP-Secret";

export function createCdpDoor({ secret, secretInUrl }: BrowserConfig): CdpDoor {
  const failures = createFailureLimiter();
  return {
    async refuse(visit) {
      const { request, client, now } = visit;
      if (secret === undefined) return notFound(request);
      // A program sends no origin; a page of any site would.
      if (request.headers.has("origin")) return forbidden(request);
      const retryAfter = failures.retryAfter(client, now);
      if (retryAfter !== undefined) {
        return errorReply(request, {
          status: 429,
          code: "too_many_attempts",
          message: "Too many wrong secrets. Wait a moment.",
          headers: { "Retry-After": String(retryAfter) },
        });
      }
      const given = secretOf(visit, secretInUrl);
      if (given !== undefined && (await sameSecret(given, secret))) return undefined;
      if (given !== undefined) {
        failures.failed(client, now);
        visit.journal.denied("cdp-refused", "");
      }
      return errorReply(request, {
        status: 401,
        code: "cdp_secret_required",
        message: `Send the CDP secret as "Authorization: Bearer …" or "${CDP_SECRET_HEADER}: …".`,
        headers: { "WWW-Authenticate": 'Bearer realm="cdp"' },
      });
    },
  };
}

function secretOf({ request, url }: Visit, inUrl: boolean): string | undefined {
  const [, bearer] = /^bearer +(\S+) *$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  const header = bearer ?? request.headers.get(CDP_SECRET_HEADER) ?? undefined;
  return header ?? (inUrl ? (url.searchParams.get("secret") ?? undefined) : undefined);
}

function forbidden(request: Request): Promise<Response> {
  return errorReply(request, {
    status: 403,
    code: "cross_origin",
    message: "Web pages may not use this address.",
  });
}
