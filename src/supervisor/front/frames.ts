/**
 * WebSocket frames, RFC 6455 section 5.2, as far as the handshake guard reads them. Fails closed:
 * what is not a plain frame within the limits is an error, and the connection ends.
 */
import { randomBytes } from "node:crypto";

export interface Frame {
  opcode: number;
  payload: Buffer;
  /** Exactly what arrived. */
  raw: Buffer;
}

export type FrameProblem =
  | "reserved-bits"
  | "fragmented"
  | "wrong-masking"
  | "unknown-opcode"
  | "oversized-control"
  | "too-large";

export type FrameResult = { ok: true; frames: Frame[] } | { ok: false; problem: FrameProblem };

export interface FrameReader {
  /** Takes bytes as they come; returns the frames they complete. */
  push(chunk: Buffer): FrameResult;
  /** Bytes of a frame that is not complete yet. */
  rest(): Buffer;
}

export const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

const KNOWN = new Set<number>(Object.values(OPCODE));

export function createFrameReader(options: { masked: boolean; maxPayload: number }): FrameReader {
  let pending: Buffer = Buffer.alloc(0);
  return {
    push(chunk) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      const frames: Frame[] = [];
      for (;;) {
        const next = readFrame(pending, options);
        if (next === "incomplete") return { ok: true, frames };
        if (typeof next === "string") return { ok: false, problem: next };
        frames.push(next);
        pending = pending.subarray(next.raw.length);
      }
    },
    rest: () => pending,
  };
}

function readFrame(
  bytes: Buffer,
  { masked, maxPayload }: { masked: boolean; maxPayload: number },
): Frame | FrameProblem | "incomplete" {
  const first = bytes[0];
  const second = bytes[1];
  if (first === undefined || second === undefined) return "incomplete";
  if ((first & 0x70) !== 0) return "reserved-bits";
  const opcode = first & 0x0f;
  if (opcode === 0 || (first & 0x80) === 0) return "fragmented";
  if (!KNOWN.has(opcode)) return "unknown-opcode";
  if (((second & 0x80) !== 0) !== masked) return "wrong-masking";

  const short = second & 0x7f;
  if (opcode >= 8 && short > 125) return "oversized-control";
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const headerLength = 2 + lengthBytes + (masked ? 4 : 0);
  if (bytes.length < headerLength) return "incomplete";
  const length =
    short === 126
      ? bytes.readUInt16BE(2)
      : short === 127
        ? Number(bytes.readBigUInt64BE(2))
        : short;
  if (length > maxPayload) return "too-large";
  if (bytes.length < headerLength + length) return "incomplete";

  const raw = bytes.subarray(0, headerLength + length);
  const body = raw.subarray(headerLength);
  const payload = masked ? applyMask(body, raw.subarray(headerLength - 4, headerLength)) : body;
  return { opcode, payload, raw };
}

/** The same operation puts the mask on and takes it off. */
function applyMask(body: Buffer, key: Buffer): Buffer {
  const masked = Buffer.allocUnsafe(body.length);
  for (let index = 0; index < body.length; index += 1) {
    masked[index] = (body[index] ?? 0) ^ (key[index % 4] ?? 0);
  }
  return masked;
}

/** An unmasked close frame, section 5.5.1. */
export function closeFrame(code: number, reason: string): Buffer {
  const text = Buffer.from(reason).subarray(0, 123);
  const frame = Buffer.alloc(4 + text.length);
  frame[0] = 0x80 | OPCODE.close;
  frame[1] = 2 + text.length;
  frame.writeUInt16BE(code, 2);
  text.copy(frame, 4);
  return frame;
}

/** A frame as a client must send it, section 5.3. */
export function maskedFrame(opcode: number, payload: Buffer): Buffer {
  const key = randomBytes(4);
  const length = payload.length;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = Buffer.alloc(2 + lengthBytes);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) head.writeUInt16BE(length, 2);
  if (lengthBytes === 8) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, key, applyMask(payload, key)]);
}
