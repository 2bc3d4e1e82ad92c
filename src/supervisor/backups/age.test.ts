import { randomBytes } from "node:crypto";
import { Decrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { beforeAll, describe, expect, it } from "vitest";
import { encrypt } from "./age.ts";

const CHUNK = 64 * 1024;

let identity: string;
let recipient: string;
beforeAll(async () => {
  identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
});

async function open(sealed: Uint8Array, by = identity): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(by);
  return decrypter.decrypt(sealed);
}

describe("what is encrypted to a recipient", () => {
  it.each([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 5 * CHUNK + 17])(
    "opens with its identity, by age's own library, at %i bytes",
    async (size) => {
      const plain = randomBytes(size);
      expect(Buffer.from(await open(await encrypt(plain, recipient)))).toEqual(plain);
    },
  );

  it("is another file each time, for one recipient and nobody else", async () => {
    const plain = randomBytes(CHUNK + 5);
    const [one, two] = [await encrypt(plain, recipient), await encrypt(plain, recipient)];
    expect(Buffer.from(one).equals(two)).toBe(false);
    const header = Buffer.from(one).toString("latin1").split("\n---")[0];
    expect(header?.split("\n-> ")).toHaveLength(2);
    await expect(open(one, await generateX25519Identity())).rejects.toThrow(/no identity matched/);
  });

  it("does not open when a byte is another one or the end is missing", async () => {
    const sealed = await encrypt(randomBytes(2 * CHUNK + 5), recipient);
    const changed = Uint8Array.from(sealed);
    changed[sealed.length - 40] = (changed[sealed.length - 40] ?? 0) ^ 1;
    await expect(open(changed)).rejects.toThrow(/invalid tag/);
    await expect(open(sealed.subarray(0, sealed.length - 21))).rejects.toThrow(/invalid tag/);
  });
});
