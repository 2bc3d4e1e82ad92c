/**
 * Slack's proof of origin (https://docs.slack.dev/authentication/verifying-requests-from-slack/):
 * an HMAC-SHA-256 over version, time and the raw body. Fails closed.
 */
import { sameSecret } from "../../access/token.ts";

/** Older requests could be somebody's who listened. */
const WINDOW_S = 5 * 60;
const encoder = new TextEncoder();

export interface Signed {
  timestamp: string;
  signature: string;
}

export function signedBy(headers: Headers): Signed | undefined {
  const timestamp = headers.get("x-slack-request-timestamp") ?? "";
  const signature = headers.get("x-slack-signature") ?? "";
  return /^\d{1,12}$/.test(timestamp) && /^v0=[0-9a-f]{64}$/.test(signature)
    ? { timestamp, signature }
    : undefined;
}

/** @param now milliseconds since the epoch */
export function isRecent({ timestamp }: Signed, now: number): boolean {
  return Math.abs(now / 1000 - Number(timestamp)) <= WINDOW_S;
}

export async function isSigned(signed: Signed, body: string, secret: string): Promise<boolean> {
  return sameSecret(signed.signature, await signatureOf(signed.timestamp, body, secret));
}

export async function signatureOf(
  timestamp: string,
  body: string,
  secret: string,
): Promise<string> {
  const key = await crypto.subtle.importKey(
    "raw",
    encoder.encode(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const mac = await crypto.subtle.sign("HMAC", key, encoder.encode(`v0:${timestamp}:${body}`));
  return `v0=${Array.from(new Uint8Array(mac), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
