/** The admin's door. Fails closed: the origin is checked before the verifier and for every method. */
import type { AdminVerifier } from "../access/admin.ts";
import type { Visit } from "../access/gate.ts";
import { checkOrigin } from "../access/origin.ts";
import type { Logger } from "../logger.ts";
import { errorReply } from "../replies.ts";

/**
 * @param origin the only origin whose pages may call
 *
 * What says nothing about where it was made passes for a program alone: what proves a program's
 * identity is never sent by a browser on its own.
 */
export async function checkAdmin(
  verifier: AdminVerifier,
  { request, now, journal }: Visit,
  origin: string,
  log: Logger,
): Promise<Response | { admin: string }> {
  const made = checkOrigin(request, [origin]);
  if (!made.ok && made.reason === "cross-origin") return crossOrigin(request);
  const check = await verifier.verify(request, now);
  if (!check.ok) {
    if (check.signedIn === undefined) {
      log.warn("admin refused", { reason: check.reason });
      journal.denied("admin-refused", check.reason);
    } else {
      journal.adminSignedIn(check.signedIn);
    }
    return (
      check.respond ??
      errorReply(request, { status: check.status, code: "admin_required", message: check.reason })
    );
  }
  if (!made.ok && check.identity.program !== true) return crossOrigin(request);
  return { admin: check.identity.name };
}

function crossOrigin(request: Request): Promise<Response> {
  return errorReply(request, {
    status: 403,
    code: "cross_origin",
    message: "Another site made this request, so it was refused.",
  });
}
