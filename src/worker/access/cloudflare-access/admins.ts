/** Whom Access let in and whom we let in are two lists. Fails closed: who is not listed is refused. */
import type { AccessIdentity } from "./assertion.ts";
import type { AccessSettings } from "./settings.ts";

export function isAdmin(
  identity: AccessIdentity,
  { adminEmails, adminServiceTokens }: AccessSettings,
): boolean {
  return identity.kind === "person"
    ? adminEmails.includes(identity.email)
    : adminServiceTokens.includes(identity.id);
}

export function nameOf(identity: AccessIdentity): string {
  return identity.kind === "person" ? identity.email : `service token ${identity.id}`;
}
