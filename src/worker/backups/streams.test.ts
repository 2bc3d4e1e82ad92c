import { describe, expect, it } from "vitest";
import { joined } from "./streams.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

async function read(body: ReadableStream<Uint8Array>): Promise<number[]> {
  const found: number[] = [];
  for await (const piece of body) found.push(...piece);
  return found;
}

describe("what was read of a stream, joined with its rest", () => {
  it("is all of it, in its order", async () => {
    const rest = ReadableStream.from([bytes(3), bytes(4, 5)]);
    expect(await read(joined(bytes(1, 2), rest, new TransformStream()))).toEqual([1, 2, 3, 4, 5]);
    const none = ReadableStream.from<Uint8Array>([]);
    expect(await read(joined(bytes(), none, new TransformStream()))).toEqual([]);
  });

  it("breaks off where the rest does", async () => {
    async function* source() {
      yield bytes(3);
      throw new Error("the bucket went away");
    }
    const all = joined(bytes(1, 2), ReadableStream.from(source()), new TransformStream());
    await expect(read(all)).rejects.toThrow("the bucket went away");
  });

  it("lets go of the rest when nobody reads it any more", async () => {
    let cancelled: unknown;
    const rest = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(bytes(0)),
      cancel: (reason) => void (cancelled = reason),
    });
    const all = joined(bytes(1), rest, new TransformStream());
    const reader = all.getReader();
    await reader.read();
    await reader.cancel("enough");
    await expect.poll(() => cancelled).toBe("enough");
  });

  it("does so when that is so from the beginning", async () => {
    let cancelled = false;
    const rest = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
    const through = new TransformStream<Uint8Array, Uint8Array>();
    await through.readable.cancel("nobody");
    joined(bytes(1), rest, through);
    await expect.poll(() => cancelled).toBe(true);
  });
});
