/**
 * Pairing codes: sixteen characters that a person can type, of which the last seven are a signature
 * over the first nine. Fails closed, and cheaply: what nobody made is told from a code without asking
 * the Durable Object, so a flood of guesses costs a hash each.
 *
 * A guess passes the signature once in 2^35 tries and then still has to hit one of a few live codes
 * among 2^45, within ten minutes.
 */
import { derivedKey, sha256, sign, type SigningKey } from "../access/token.ts";

/** Crockford's alphabet: no letter looks like a digit. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const RANDOM = 9;
const SIGNED = 7;

export interface PairingCodes {
  make(): Promise<{ code: string; hash: string }>;
  /** The hash by which the Durable Object knows the code, or undefined for what nobody made. */
  read(text: string): Promise<string | undefined>;
}

/** @param secrets the present one first; codes are made with it, and read with each */
export function createPairingCodes(secrets: readonly string[], agentId: string): PairingCodes {
  const keys = secrets.map((secret) =>
    once(() => derivedKey(secret, `pairing code v1 ${agentId}`)),
  );

  return {
    async make() {
      const random = crypto.getRandomValues(new Uint8Array(RANDOM));
      const head = [...random].map((byte) => ALPHABET[byte & 31] ?? "").join("");
      const [key] = keys;
      if (key === undefined) throw new Error("There is no secret to sign a code with.");
      const code = `${head}${await tail(await key(), head)}`;
      return { code: code.replace(/(.{4})(?=.)/g, "$1-"), hash: await hashOf(code) };
    },

    async read(text) {
      const code = plain(text);
      if (code === undefined) return undefined;
      const head = code.slice(0, RANDOM);
      let known = false;
      for (const key of keys) {
        const expected = await tail(await key(), head);
        let difference = 0;
        for (let place = 0; place < SIGNED; place += 1) {
          difference |= expected.charCodeAt(place) ^ code.charCodeAt(RANDOM + place);
        }
        known = difference === 0 || known;
      }
      return known ? hashOf(code) : undefined;
    },
  };
}

/** As people write it: in groups, in lower case, with the letters that Crockford's alphabet lacks. */
function plain(text: string): string | undefined {
  const code = text
    .toUpperCase()
    .replaceAll(/[\s-]/g, "")
    .replaceAll("O", "0")
    .replaceAll(/[IL]/g, "1");
  const fits = code.length === RANDOM + SIGNED && [...code].every((one) => ALPHABET.includes(one));
  return fits ? code : undefined;
}

async function tail(key: SigningKey, head: string): Promise<string> {
  const bytes = await sha256(await sign(key, head));
  return [...bytes.slice(0, SIGNED)].map((byte) => ALPHABET[byte & 31] ?? "").join("");
}

async function hashOf(code: string): Promise<string> {
  return [...(await sha256(code))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
