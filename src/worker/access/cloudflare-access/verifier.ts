/**
 * An admin is whom Cloudflare Access names and we list. Fails closed: without complete settings, a
 * valid token and a place on the list there is no admin.
 *
 * Only the header that the edge sets counts. The cookie of the same token does not: the browser
 * sends it to whatever asks.
 */
import type { AdminCheck, AdminVerifier } from "../admin.ts";
import { isAdmin, nameOf } from "./admins.ts";
import { refuseAdmin, refuseUnconfigured, type AccessRefusal } from "./answers.ts";
import { readAssertion, type AssertionFailure } from "./assertion.ts";
import { createKeySet, type Fetch } from "./keys.ts";
import { completeAccess, type AccessConfig } from "./settings.ts";

export const ASSERTION_HEADER = "cf-access-jwt-assertion";

/** One of these an isolate and configuration: it holds the team's keys. */
export function createAccessVerifier(config: AccessConfig, fetchKeys: Fetch): AdminVerifier {
  const complete = completeAccess(config);
  if (!complete.ok) {
    const { missing } = complete;
    return {
      verify: async (request) => ({
        ok: false,
        reason: `not configured: ${missing.join(", ")}`,
        status: 403,
        respond: await refuseUnconfigured(request, missing),
      }),
    };
  }
  const { settings } = complete;
  const keys = createKeySet(`${settings.teamOrigin}/cdn-cgi/access/certs`, fetchKeys);
  const expected = { issuer: settings.teamOrigin, audiences: settings.audiences };

  return {
    async verify(request, now) {
      const refuse = async (refusal: AccessRefusal, reason: string): Promise<AdminCheck> => {
        const respond = await refuseAdmin(request, refusal, settings);
        return { ok: false, reason, status: respond.status, respond };
      };
      const token = request.headers.get(ASSERTION_HEADER);
      if (token === null || token === "") return refuse("login", "no access token");
      const read = await readAssertion(token, expected, keys, now);
      if (!read.ok) return refuse(refusalFor(read.reason), `access token: ${read.reason}`);
      if (!isAdmin(read.identity, settings)) {
        return refuse("not-admin", `not on the list: ${nameOf(read.identity)}`);
      }
      return {
        ok: true,
        identity: { name: nameOf(read.identity), program: read.identity.kind === "service" },
      };
    },
  };
}

function refusalFor(reason: AssertionFailure): AccessRefusal {
  if (reason === "keys-unavailable") return "no-keys";
  return reason === "session-over" ? reason : "invalid";
}
