/** One-time codes of the local admin link: `<n>.<signature>`, made by `npm start`. */
import { derivedKey, sign, verifySignature } from "../../worker/access/token.ts";

const PURPOSE = "local admin code v1";

/** @param secret of this start: at least 32 random bytes as text */
export async function adminCode(secret: string, n: number): Promise<string> {
  return `${n}.${await sign(await derivedKey(secret, PURPOSE), `code ${n}`)}`;
}

export async function isAdminCode(secret: string, code: string): Promise<boolean> {
  const [, n, signature] = /^(\d{1,9})\.([A-Za-z0-9_-]{43})$/.exec(code) ?? [];
  if (n === undefined || signature === undefined) return false;
  return verifySignature(await derivedKey(secret, PURPOSE), `code ${n}`, signature);
}
