import { createPrivateKey, createPublicKey } from "node:crypto";
import {
  generateHybridIdentity,
  generateX25519Identity,
  identityToRecipient,
} from "age-encryption";
import { describe, expect, it } from "vitest";
import { publicKeyOf } from "./age-recipient.ts";

const RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

describe("an age recipient", () => {
  it("is read as the public key it was made from", async () => {
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    expect(publicKeyOf(recipient).toString("hex")).toBe(publicHex(identity));
    expect(publicKeyOf(RECIPIENT)).toHaveLength(32);
  });

  it.each([...RECIPIENT].slice(4).map((_, index) => index + 4))(
    "with another character at %i is refused",
    (at) => {
      const other = RECIPIENT[at] === "q" ? "p" : "q";
      const changed = RECIPIENT.slice(0, at) + other + RECIPIENT.slice(at + 1);
      expect(() => publicKeyOf(changed)).toThrow("not an age X25519 recipient");
    },
  );

  it.each(["", "age1", RECIPIENT.slice(1), RECIPIENT.slice(0, -1), RECIPIENT.toUpperCase()])(
    "%j is refused",
    (text) => expect(() => publicKeyOf(text)).toThrow("not an age X25519 recipient"),
  );

  it("of another kind, or an identity, is refused", async () => {
    const hybrid = await identityToRecipient(await generateHybridIdentity());
    const identity = await generateX25519Identity();
    for (const text of [hybrid, identity]) expect(() => publicKeyOf(text)).toThrow(/not an age/);
  });
});

/** By Node's own arithmetic, from the scalar in the identity's Bech32. */
function publicHex(identity: string): string {
  const digits = identity.slice("AGE-SECRET-KEY-1".length, -6).toLowerCase();
  const bits = [...digits]
    .map((digit) => "qpzry9x8gf2tvdw0s3jn54khce6mua7l".indexOf(digit).toString(2).padStart(5, "0"))
    .join("");
  const scalar = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const key = Buffer.concat([Buffer.from("302e020100300506032b656e04220420", "hex"), scalar]);
  const secret = createPrivateKey({ key, format: "der", type: "pkcs8" });
  return createPublicKey(secret)
    .export({ format: "der", type: "spki" })
    .subarray(-32)
    .toString("hex");
}
