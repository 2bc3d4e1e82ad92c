/** The control port's guard. Fails closed: no token known, or none given, is a refusal. */
import { createHash, timingSafeEqual } from "node:crypto";

export function bearerMatches(header: string | undefined, token: string | undefined): boolean {
  const given = /^Bearer +(\S+)$/i.exec(header ?? "")?.[1];
  if (given === undefined || token === undefined) return false;
  // Digests have one length, whatever was sent.
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
