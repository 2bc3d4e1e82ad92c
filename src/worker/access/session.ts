/**
 * What a client carries instead of the gateway token: `<kind>.<subject>.<issued>.<random>.<signature>`.
 * Fails closed: anything that is not exactly that, in its time and signed with the present secret, is
 * nothing.
 *
 * `v1` is a session, a day long. `a1` is the credential of an app that was let in by a pairing code;
 * it has no end of its own, and counts only while the Durable Object lists the app. The key comes from
 * the secret, so another secret ends them all.
 */
import { derivedKey, randomId, sign, verifySignature, type SigningKey } from "./token.ts";

export const SESSION_SECONDS = 24 * 60 * 60;
/** A cookie from the future is a clock that was set back; a little is tolerated. */
const SKEW_MS = 60_000;

/** Tells the Durable Object when the session of a request began; no client can send it. */
export const SESSION_HEADER = "x-moltworker-session";
/** Tells it which app makes a request; no client can send it. */
export const APP_HEADER = "x-moltworker-app";
/** On an answer of the Durable Object: the session was ended by an admin. */
export const SESSION_OVER_HEADER = "x-moltworker-session-over";

export type SessionCheck =
  | { ok: true; issuedAt: number }
  | { ok: false; reason: "absent" | "malformed" | "expired" | "signature" };

export interface SessionKeeper {
  issue(now: number): Promise<string>;
  check(value: string | undefined, now: number): Promise<SessionCheck>;
}

/** @param subject whom the session is for: an agent id, or `admin` */
export function createSessionKeeper(secret: string, subject: string): SessionKeeper {
  return createKeeper("v1", subject, secret, `session v1 ${subject}`, SESSION_SECONDS * 1000);
}

export function createAppKeeper(secret: string, subject: string): SessionKeeper {
  return createKeeper("a1", subject, secret, `app v1 ${subject}`, Number.POSITIVE_INFINITY);
}

const FORM = /^((v1|a1)\.([a-z0-9-]{1,63})\.(\d{1,15})\.[A-Za-z0-9_-]{24})\.([A-Za-z0-9_-]{43})$/;

function createKeeper(
  kind: "v1" | "a1",
  subject: string,
  secret: string,
  purpose: string,
  lifetimeMs: number,
): SessionKeeper {
  let derived: Promise<SigningKey> | undefined;
  const key = (): Promise<SigningKey> => (derived ??= derivedKey(secret, purpose));

  return {
    async issue(now) {
      const text = `${kind}.${subject}.${now}.${randomId()}`;
      return `${text}.${await sign(await key(), text)}`;
    },

    async check(value, now) {
      if (value === undefined || value === "") return { ok: false, reason: "absent" };
      const [, text, ofKind, forSubject, issued, signature] = FORM.exec(value) ?? [];
      if (text === undefined || signature === undefined) return { ok: false, reason: "malformed" };
      if (ofKind !== kind || forSubject !== subject) return { ok: false, reason: "malformed" };
      if (!(await verifySignature(await key(), text, signature))) {
        return { ok: false, reason: "signature" };
      }
      const issuedAt = Number(issued);
      const age = now - issuedAt;
      if (age >= lifetimeMs || age < -SKEW_MS) return { ok: false, reason: "expired" };
      return { ok: true, issuedAt };
    },
  };
}

/** Whether a text claims to be the credential of an app. */
export function isAppCredential(text: string): boolean {
  return text.startsWith("a1.");
}

/** The part of a session's value by which a person and the records know it; worthless without the rest. */
export function sessionId(value: string): string {
  return value.split(".")[3] ?? "";
}
