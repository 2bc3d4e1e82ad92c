/**
 * Who is an admin. Fails closed: whatever composes the Worker has to hand in a verifier, and the one
 * for a place without any answers no to everybody.
 */
export interface AdminVerifier {
  verify(request: Request, now: number): Promise<AdminCheck>;
}

export type AdminCheck =
  /** `program`: not a browser, so no other site can have made the request. */
  | { ok: true; identity: { name: string; program?: boolean } }
  /**
   * `respond` takes the place of the plain refusal, for a login that redirects; `signedIn` names the
   * admin whom that answer makes one.
   */
  | { ok: false; reason: string; status: number; respond?: Response; signedIn?: string };

/** Nobody is an admin: for an entry that shows no admin routes, or has no settings to tell who is. */
export const closedAdmin: AdminVerifier = {
  verify: () =>
    Promise.resolve({
      ok: false,
      status: 403,
      reason: "The admin page is closed at this address.",
    }),
};
