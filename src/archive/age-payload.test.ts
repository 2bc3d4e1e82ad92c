import { randomBytes } from "node:crypto";
import { Decrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { encrypt } from "../supervisor/backups/age.ts";
import { decryptInPlace, decryptPayload, sealOf, splitHeader } from "./age-payload.ts";

const CHUNK = 64 * 1024;
/** Of the cipher, or of what a payload has to be. */
const NO_PAYLOAD = /authenticate|cut short|last chunk is empty/;
const SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17];

let identity: string;
let recipient: string;
beforeAll(async () => {
  identity = await generateX25519Identity();
  recipient = await identityToRecipient(identity);
});

async function keyOf(file: Uint8Array): Promise<{ fileKey: Uint8Array; behind: number }> {
  const split = splitHeader(file);
  if (split === undefined || split === "too-long") throw new Error("no header");
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return {
    fileKey: await decrypter.decryptHeader(split.header),
    behind: split.header.length,
  };
}

/** In pieces that end where `cuts` say. */
async function streamed(file: Uint8Array, cuts: readonly number[]): Promise<Buffer> {
  const { fileKey, behind } = await keyOf(file);
  async function* source() {
    let at = behind;
    for (const cut of [...cuts.toSorted((a, b) => a - b), file.length]) {
      const to = Math.max(at, Math.min(file.length, behind + cut));
      yield file.subarray(at, to);
      at = to;
    }
    yield file.subarray(at);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of decryptPayload(fileKey, source())) chunks.push(chunk.slice());
  return Buffer.concat(chunks);
}

async function inPlace(file: Uint8Array): Promise<Buffer> {
  const { fileKey } = await keyOf(file);
  return Buffer.from(decryptInPlace(fileKey, Uint8Array.from(file), () => undefined));
}

describe("the payload of an age file", () => {
  it.each(SIZES)("opens at %i bytes, as it comes and in its own memory", async (size) => {
    const plain = randomBytes(size);
    const file = await encrypt(plain, recipient);
    expect((await streamed(file, [])).equals(plain)).toBe(true);
    const { fileKey } = await keyOf(file);
    const given: number[] = [];
    const memory = Uint8Array.from(file);
    const opened = decryptInPlace(fileKey, memory, (chunk) => given.push(chunk.length));
    expect(Buffer.from(opened).equals(plain)).toBe(true);
    expect(opened.buffer).toBe(memory.buffer);
    expect(given.reduce((sum, one) => sum + one, 0)).toBe(size);
  });

  it("does so however it is cut on the way", async () => {
    const plain = randomBytes(2 * CHUNK + 99);
    const file = await encrypt(plain, recipient);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(file.length), { maxLength: 9 }), async (cuts) => {
        expect((await streamed(file, cuts)).equals(plain)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it("does not open with a bit changed, cut anywhere, or with more behind it", async () => {
    const file = await encrypt(randomBytes(CHUNK + 300), recipient);
    const { behind } = await keyOf(file);
    const payload = file.length - behind;
    const damage = fc.oneof(
      fc.record({ how: fc.constant("flip" as const), at: fc.nat(payload - 1) }),
      fc.record({ how: fc.constant("cut" as const), at: fc.nat(payload - 1) }),
      fc.record({ how: fc.constant("more" as const), at: fc.integer({ min: 1, max: 40 }) }),
    );
    await fc.assert(
      fc.asyncProperty(damage, async ({ how, at }) => {
        const more = new Uint8Array(file.length + (how === "more" ? at : 0));
        more.set(file);
        const place = behind + at;
        if (how === "flip") more[place] = (more[place] ?? 0) ^ 1;
        const damaged = how === "cut" ? more.subarray(0, place) : more;
        await expect(streamed(damaged, [])).rejects.toThrow(NO_PAYLOAD);
        await expect(inPlace(damaged)).rejects.toThrow(NO_PAYLOAD);
      }),
      { numRuns: 80 },
    );
  });

  it("has no chunk out of its place", async () => {
    const file = await encrypt(randomBytes(3 * CHUNK), recipient);
    const { behind } = await keyOf(file);
    const first = behind + 16;
    const sealed = CHUNK + 16;
    const swapped = Uint8Array.from(file);
    swapped.set(file.subarray(first, first + sealed), first + sealed);
    swapped.set(file.subarray(first + sealed, first + 2 * sealed), first);
    await expect(inPlace(swapped)).rejects.toThrow(NO_PAYLOAD);
    await expect(streamed(swapped, [])).rejects.toThrow(NO_PAYLOAD);
  });
});

describe("the seal of an age file", () => {
  it("is its header's and its nonce's, and another in each file", async () => {
    const plain = randomBytes(1000);
    const [one, two] = [await encrypt(plain, recipient), await encrypt(plain, recipient)];
    expect(sealOf(one)).toMatch(/^[0-9a-f]{64}$/);
    expect(sealOf(one)).not.toBe(sealOf(two));
    const { behind } = await keyOf(one);
    for (const at of [0, 30, behind - 2, behind, behind + 15]) {
      const other = Uint8Array.from(one);
      other[at] = (other[at] ?? 0) ^ 1;
      expect(sealOf(other)).not.toBe(sealOf(one));
    }
    const payload = Uint8Array.from(one);
    payload[behind + 16] = (payload[behind + 16] ?? 0) ^ 1;
    expect(sealOf(payload)).toBe(sealOf(one));
  });

  it("is none where there is no age file", () => {
    expect(sealOf(randomBytes(500))).toBeUndefined();
    expect(sealOf(new Uint8Array(0))).toBeUndefined();
  });
});
