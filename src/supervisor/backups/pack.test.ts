import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { zstdCompress } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readTar } from "../../archive/tar-reader.ts";
import { sealPack, unpacked, type PackEntry } from "./pack.ts";

const compress = promisify(zstdCompress);

function entry(name: string, bytes: Buffer): PackEntry {
  return { name, bytes, mode: 0o600, modified: 0 };
}

async function contentOf(pack: Uint8Array): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for await (const { path, body } of readTar(unpacked(pack))) {
    const slices: Buffer[] = [];
    for await (const slice of body()) slices.push(Buffer.from(slice));
    found.set(path, Buffer.concat(slices));
  }
  return found;
}

describe("a pack that is unpacked piece by piece", () => {
  it.each([0, 1, 1024 * 1024 - 512, 1024 * 1024, 2 * 1024 * 1024 - 1024, 5_000_001])(
    "has what went in (%i bytes)",
    async (size) => {
      const entries = [
        entry(".openclaw/before", randomBytes(100)),
        entry(".openclaw/large", randomBytes(size)),
        entry(".openclaw/empty", Buffer.alloc(0)),
        entry(".openclaw/after", randomBytes(70_000)),
      ];
      const { bytes, seal } = await sealPack(entries, undefined);
      expect(seal).toBeUndefined();
      const pieces = await contentOf(bytes);
      for (const { name, bytes: kept } of entries) {
        expect(pieces.get(name)?.equals(kept)).toBe(true);
      }
    },
  );

  it("gives back the memory of a whole piece when the next is asked for", async () => {
    const { bytes } = await sealPack([entry("a", randomBytes(3_000_000))], undefined);
    const lengths: number[] = [];
    let last: Uint8Array | undefined;
    for await (const piece of unpacked(bytes)) {
      if (last !== undefined) lengths.push(last.length);
      last = piece;
    }
    expect(lengths.length).toBeGreaterThan(1);
    expect(new Set(lengths)).toEqual(new Set([0]));
  });

  it("is none when it is cut, is something else, or unpacks to too much", async () => {
    const { bytes } = await sealPack([entry("a", randomBytes(100_000))], undefined);
    const read = async (pack: Uint8Array) => {
      for await (const _ of unpacked(pack));
    };
    const cut = { code: "pack", message: expect.stringContaining("unexpected end") };
    await expect(read(bytes.subarray(0, bytes.length - 1))).rejects.toMatchObject(cut);
    await expect(read(new Uint8Array(0))).rejects.toMatchObject(cut);
    await expect(read(randomBytes(1000))).rejects.toMatchObject({ code: "pack" });
    const bomb = await compress(Buffer.alloc(600 * 1024 * 1024));
    await expect(read(bomb)).rejects.toThrow(/more than/);
  });
});
