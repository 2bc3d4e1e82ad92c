import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boundedText } from "./bounded-text.ts";

const LIMIT = 40;

/** A request whose body comes in pieces, and how many bytes of it were asked for. */
function sent(pieces: Iterable<Uint8Array>, headers: Record<string, string> = {}) {
  let read = 0;
  const source = pieces[Symbol.iterator]();
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        const { done, value } = source.next();
        if (done === true) return controller.close();
        read += value.byteLength;
        controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
  const request = new Request("http://x/", { method: "POST", body, headers, duplex: "half" });
  return { request, read: () => read };
}

const bytes = (text: string) => new TextEncoder().encode(text);

function* cut(whole: Uint8Array, sizes: number[]): Generator<Uint8Array> {
  for (let at = 0, n = 0; at < whole.length; n += 1) {
    const size = sizes[n % sizes.length] ?? 1;
    yield whole.slice(at, at + size);
    at += size;
  }
}

function* repeated(size: number, times: number): Generator<Uint8Array> {
  for (let n = 0; n < times; n += 1) yield new Uint8Array(size).fill(0x78);
}

describe("the text of a body", () => {
  it("is the same however it is cut, and never more than the bound", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "grapheme", maxLength: 60 }),
        sizes,
        async (text, cuts) => {
          const read = await boundedText(sent(cut(bytes(text), cuts)).request, LIMIT);
          const fits = bytes(text).length <= LIMIT;
          expect(read).toMatchObject(fits ? { ok: true, text } : { ok: false, status: 413 });
        },
      ),
    );
  });

  it.each([
    ["a byte that is none of UTF-8", [Uint8Array.of(0x61, 0xff)]],
    ["a character cut off", [bytes("é").slice(0, 1)]],
  ])("is refused for %s", async (_name, pieces) => {
    const read = await boundedText(sent(pieces).request, LIMIT);
    expect(read).toMatchObject({ ok: false, status: 400, code: "body_unreadable" });
  });

  it("is read to its end when it is over the bound, so that its sender sees the answer", async () => {
    const { request, read } = sent(repeated(1024, 100));
    expect(await boundedText(request, LIMIT)).toMatchObject({ status: 413 });
    expect(read()).toBe(102_400);
  });

  it("is not read without end", async () => {
    const { request, read } = sent(repeated(1_048_576, 1000));
    expect(await boundedText(request, LIMIT)).toMatchObject({ status: 413 });
    expect(read()).toBeLessThan(8 * 1_048_576);
  });

  it.each(["", "x", "12, 12", "NaN"])(
    "is bounded whatever it says of its length: %j",
    async (length) => {
      const { request, read } = sent(repeated(1_048_576, 1000), { "content-length": length });
      expect(await boundedText(request, LIMIT)).toMatchObject({ status: 413 });
      expect(read()).toBeLessThan(8 * 1_048_576);
    },
  );

  it("is not read at all when it says that it is far too long", async () => {
    const { request, read } = sent(repeated(1024, 10), { "content-length": "100000000" });
    expect(await boundedText(request, LIMIT)).toMatchObject({ status: 413 });
    expect(read()).toBe(0);
  });
});
