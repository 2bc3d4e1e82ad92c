import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OPCODE, closeFrame, createFrameReader, maskedFrame } from "./frames.ts";
import type { Frame } from "./frames.ts";

const LIMIT = 70_000;
const payloads = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.uint8Array({ minLength: 65_530, maxLength: 65_540, size: "max" }),
);

function readAll(chunks: Buffer[], masked: boolean): Frame[] {
  const reader = createFrameReader({ masked, maxPayload: LIMIT });
  return chunks.flatMap((chunk) => {
    const result = reader.push(chunk);
    if (!result.ok) throw new Error(result.problem);
    return result.frames;
  });
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const points = [0, ...at.map((point) => point % (bytes.length + 1)), bytes.length];
  const sorted = points.toSorted((a, b) => a - b);
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index] ?? 0, end));
}

function problemOf(bytes: readonly number[], masked = true): string | undefined {
  const result = createFrameReader({ masked, maxPayload: LIMIT }).push(Buffer.from(bytes));
  return result.ok ? undefined : result.problem;
}

describe("the frame reader", () => {
  it("gives back what was framed, however the bytes arrive", () => {
    fc.assert(
      fc.property(
        fc.array(payloads, { maxLength: 4 }),
        fc.array(fc.nat(), { maxLength: 8 }),
        (bodies, points) => {
          const sent = bodies.map((body) => maskedFrame(OPCODE.text, Buffer.from(body)));
          const frames = readAll(cut(Buffer.concat(sent), points), true);
          expect(frames.map((frame) => frame.payload)).toEqual(bodies.map((b) => Buffer.from(b)));
          expect(Buffer.concat(frames.map((frame) => frame.raw))).toEqual(Buffer.concat(sent));
        },
      ),
      { numRuns: 50 },
    );
  });

  it("never throws and never gives a frame beyond its limit, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, masked) => {
        const result = createFrameReader({ masked, maxPayload: 64 }).push(Buffer.from(bytes));
        const frames = result.ok ? result.frames : [];
        expect(frames.every((frame) => frame.payload.length <= 64)).toBe(true);
      }),
    );
  });

  it("keeps the bytes of a frame that is not complete", () => {
    const reader = createFrameReader({ masked: true, maxPayload: LIMIT });
    const frame = maskedFrame(OPCODE.text, Buffer.from("hello"));
    expect(reader.push(frame.subarray(0, 5))).toEqual({ ok: true, frames: [] });
    expect(reader.rest()).toEqual(frame.subarray(0, 5));
  });

  it.each([
    ["reserved bits, as compression sets them", [0xc1, 0x80], true, "reserved-bits"],
    ["a first fragment", [0x01, 0x80], true, "fragmented"],
    ["a continuation", [0x80, 0x80], true, "fragmented"],
    ["an unknown opcode", [0x83, 0x80], true, "unknown-opcode"],
    ["a client frame without a mask", [0x81, 0x01], true, "wrong-masking"],
    ["a server frame with a mask", [0x81, 0x81], false, "wrong-masking"],
    ["a long control frame", [0x89, 0xfe], true, "oversized-control"],
    ["2^63 bytes", [0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4], true, "too-large"],
  ] as const)("refuses %s", (_what, bytes, masked, problem) => {
    expect(problemOf(bytes, masked)).toBe(problem);
  });

  it("reads a close frame as it was written", () => {
    const [frame] = readAll([closeFrame(1008, "device not approved")], false);
    expect(frame?.opcode).toBe(OPCODE.close);
    expect(frame?.payload.readUInt16BE(0)).toBe(1008);
    expect(frame?.payload.subarray(2).toString()).toBe("device not approved");
  });
});
