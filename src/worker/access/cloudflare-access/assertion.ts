/**
 * Reads the token that Cloudflare Access puts on a request it let through. Fails closed: RS256 by
 * a key of the team, from the team, for this application, now; anything else is nobody.
 */
import { errors, jwtVerify, type JWTPayload } from "jose";
import * as z from "zod";
import { KeysUnavailableError, type KeySet } from "./keys.ts";

export const ADMIN_SESSION_SECONDS = 24 * 60 * 60;
const LEEWAY_SECONDS = 30;
const MAX_TOKEN_LENGTH = 8192;

/** A person by address, or a program by the client id of its service token. */
export type AccessIdentity = { kind: "person"; email: string } | { kind: "service"; id: string };

export type ReadAssertion =
  | { ok: true; identity: AccessIdentity }
  | { ok: false; reason: AssertionFailure };

export type AssertionFailure =
  | "malformed"
  | "algorithm"
  | "unknown-key"
  | "signature"
  | "issuer"
  | "audience"
  | "expired"
  | "not-yet"
  /** Signed in more than a day ago, though Access would let it go on. */
  | "session-over"
  | "claims"
  | "keys-unavailable";

export interface Expected {
  issuer: string;
  audiences: readonly string[];
}

/** A service token has `common_name` and an empty `sub`; a person has `email`. Never both. */
const person = z.object({
  email: z.string().min(3).max(320).includes("@"),
  common_name: z.never().optional(),
  sub: z.string().min(1),
});
const service = z.object({
  common_name: z.string().min(1).max(256),
  email: z.never().optional(),
  sub: z.literal("").optional(),
});

export async function readAssertion(
  token: string,
  expected: Expected,
  keys: KeySet,
  now: number,
): Promise<ReadAssertion> {
  if (token.length > MAX_TOKEN_LENGTH || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) {
    return { ok: false, reason: "malformed" };
  }
  try {
    const { payload, protectedHeader } = await jwtVerify(
      token,
      (header, input) => {
        // Without a key id a set of one key would answer for any token.
        if (header.kid === undefined) throw new errors.JWKSNoMatchingKey();
        return keys.at(now)(header, input);
      },
      {
        algorithms: ["RS256"],
        issuer: expected.issuer,
        audience: [...expected.audiences],
        clockTolerance: LEEWAY_SECONDS,
        requiredClaims: ["exp", "iat"],
        currentDate: new Date(now),
      },
    );
    if (protectedHeader.b64 === false) return { ok: false, reason: "malformed" };
    return identify(payload, now);
  } catch (error) {
    return { ok: false, reason: failureOf(error) };
  }
}

function identify(payload: JWTPayload, now: number): ReadAssertion {
  const age = now / 1000 - (payload.iat ?? 0);
  if (age < -LEEWAY_SECONDS) return { ok: false, reason: "not-yet" };
  if (age > ADMIN_SESSION_SECONDS + LEEWAY_SECONDS) return { ok: false, reason: "session-over" };
  const asService = service.safeParse(payload);
  if (asService.success) {
    return { ok: true, identity: { kind: "service", id: asService.data.common_name } };
  }
  const asPerson = person.safeParse(payload);
  if (asPerson.success) {
    return { ok: true, identity: { kind: "person", email: asPerson.data.email.toLowerCase() } };
  }
  return { ok: false, reason: "claims" };
}

function failureOf(error: unknown): AssertionFailure {
  if (error instanceof KeysUnavailableError) return "keys-unavailable";
  if (error instanceof errors.JWTExpired) return "expired";
  if (error instanceof errors.JOSEAlgNotAllowed) return "algorithm";
  if (error instanceof errors.JWKSNoMatchingKey) return "unknown-key";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "signature";
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === "iss") return "issuer";
    if (error.claim === "aud") return "audience";
    return error.claim === "nbf" ? "not-yet" : "claims";
  }
  return "malformed";
}
