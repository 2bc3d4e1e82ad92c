/**
 * The team's public keys. Fails closed: no key, no identity.
 *
 * One client an isolate, around jose's local key set and not its remote one: on this runtime that
 * one does not share a fetch between requests and does not wait after a failed fetch, so a flood
 * of made-up key ids would become a flood of fetches.
 */
import {
  createLocalJWKSet,
  errors,
  type CryptoKey,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from "jose";
import * as z from "zod";
import { within } from "../../deadline.ts";

/** How long a fetched set counts without asking again. Keys rotate every six weeks. */
const FRESH_MS = 600_000;
/** How long a set that cannot be fetched again still counts. */
const STALE_MS = 3_600_000;
/** Between two fetches for a key id that the present set does not hold. */
const UNKNOWN_KEY_PAUSE_MS = 30_000;
/** Between two fetches while there is no set at all. */
const RETRY_PAUSE_MS = 1000;
const FETCH_DEADLINE_MS = 5000;
const MAX_SET_BYTES = 64 * 1024;
const MAX_KEYS = 32;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export class KeysUnavailableError extends Error {
  readonly code = "keys_unavailable";
}

export type KeyLookup = (
  header: JWSHeaderParameters,
  token: FlattenedJWSInput,
) => Promise<CryptoKey>;

export interface KeySet {
  /** The lookup that jose calls, at a given time. */
  at(now: number): KeyLookup;
}

const keySet = z.object({
  keys: z
    .array(
      z.looseObject({
        kty: z.literal("RSA"),
        kid: z.string().min(1).max(256),
        n: z.string(),
        e: z.string(),
      }),
    )
    .max(MAX_KEYS),
});

export function createKeySet(certsUrl: string, fetchKeys: Fetch): KeySet {
  let local: ReturnType<typeof createLocalJWKSet> | undefined;
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let askedAt = Number.NEGATIVE_INFINITY;
  let underWay: Promise<void> | undefined;

  /** Never rejects: what counts afterwards is whether there is a set. */
  function refresh(now: number, pause: number): Promise<void> {
    if (underWay !== undefined && now - askedAt < FETCH_DEADLINE_MS) return underWay;
    if (now - askedAt < pause) return Promise.resolve();
    askedAt = now;
    const mine = load(certsUrl, fetchKeys).then(
      (fresh) => {
        local = createLocalJWKSet(fresh);
        fetchedAt = now;
      },
      () => undefined,
    );
    underWay = mine;
    void mine.then(() => {
      if (underWay === mine) underWay = undefined;
    });
    return mine;
  }

  /** The request that began a fetch may go away and take it along; the others do not wait forever. */
  async function refreshed(now: number, pause: number): Promise<void> {
    await within("the team's keys", FETCH_DEADLINE_MS, refresh(now, pause)).catch(() => undefined);
  }

  return {
    at: (now) => async (header, token) => {
      const age = now - fetchedAt;
      if (local === undefined || age >= FRESH_MS) {
        await refreshed(now, local === undefined ? RETRY_PAUSE_MS : UNKNOWN_KEY_PAUSE_MS);
      }
      if (local === undefined || now - fetchedAt >= STALE_MS) {
        throw new KeysUnavailableError("the team's keys could not be fetched");
      }
      try {
        return await local(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        await refreshed(now, UNKNOWN_KEY_PAUSE_MS);
        return await local(header, token);
      }
    },
  };
}

async function load(url: string, fetchKeys: Fetch): Promise<JSONWebKeySet> {
  const response = await fetchKeys(url, {
    headers: { Accept: "application/json" },
    redirect: "manual",
    signal: AbortSignal.timeout(FETCH_DEADLINE_MS),
  });
  if (response.status !== 200) throw new KeysUnavailableError(`answered ${response.status}`);
  const text = await response.text();
  if (text.length > MAX_SET_BYTES) throw new KeysUnavailableError("answered too much");
  // Only what verifying needs is kept: a key that came with a use or algorithm of its own is still
  // held to RS256 by the caller.
  const { keys } = keySet.parse(JSON.parse(text));
  return {
    keys: keys.map(({ kid, n, e }) => ({ kty: "RSA", kid, n, e, alg: "RS256", use: "sig" })),
  };
}
