/** Messages on a pipe: four bytes of length, one of kind, then JSON or plain bytes. */
import type { Readable, Writable } from "node:stream";

export type Frame = { json: unknown } | { bytes: Buffer };

const HEAD = 5;
const JSON_KIND = 0;
const BYTES_KIND = 1;
/** A file list of a very large state. */
const MAX_FRAME = 256 * 1024 * 1024;

export class FrameError extends Error {
  override readonly name = "FrameError";
  readonly code = "frame";
}

/** Resolves when the pipe takes more; rejects when it is closed. */
export async function writeFrame(pipe: Writable, frame: Frame): Promise<void> {
  // Of one that closed before no event comes any more.
  if (pipe.destroyed) throw new FrameError("the pipe closed");
  const isJson = "json" in frame;
  const body = isJson ? Buffer.from(JSON.stringify(frame.json)) : frame.bytes;
  const head = Buffer.alloc(HEAD);
  head.writeUInt32LE(body.length);
  head.writeUInt8(isJson ? JSON_KIND : BYTES_KIND, 4);
  pipe.write(head);
  if (pipe.write(body)) return;
  await new Promise<void>((resolve, reject) => {
    const done = () => {
      pipe.off("drain", done).off("close", gone);
      resolve();
    };
    const gone = () => {
      pipe.off("drain", done);
      reject(new FrameError("the pipe closed"));
    };
    pipe.once("drain", done).once("close", gone);
  });
}

export async function* readFrames(pipe: Readable): AsyncGenerator<Frame> {
  let chunks: Buffer[] = [];
  let have = 0;
  let want = HEAD;
  let kind: number | undefined;
  for await (const chunk of pipe) {
    if (!Buffer.isBuffer(chunk)) throw new FrameError("text on a pipe of bytes");
    chunks.push(chunk);
    have += chunk.length;
    while (have >= want) {
      const all = chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks);
      const part = all.subarray(0, want);
      chunks = [all.subarray(want)];
      have -= want;
      if (kind === undefined) {
        want = part.readUInt32LE();
        kind = part.readUInt8(4);
        if (want > MAX_FRAME) throw new FrameError("a frame is too long");
      } else {
        yield kind === JSON_KIND ? { json: JSON.parse(part.toString()) } : { bytes: part };
        kind = undefined;
        want = HEAD;
      }
    }
  }
}
