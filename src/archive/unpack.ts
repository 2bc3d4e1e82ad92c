/** A tar as it was before gzip; one that was never packed passes as it is. */
import { RefusedArchiveError } from "./import-rules.ts";

const GZIP = [0x1f, 0x8b];
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];

/** @throws RefusedArchiveError when it is packed in another way, or damaged */
export async function* unpacked(
  packed: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const first = await packed.next();
  if (first.done) throw new RefusedArchiveError("it is empty");
  const begins = (magic: readonly number[]) => magic.every((byte, i) => first.value[i] === byte);
  if (begins(ZSTD))
    throw new RefusedArchiveError("it is packed with zstd: send a .tar.gz or a .tar");
  if (!begins(GZIP)) {
    yield first.value;
    yield* packed;
    return;
  }
  let broken: unknown;
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      controller.enqueue(Uint8Array.from(first.value));
    },
    async pull(controller) {
      try {
        const { done, value } = await packed.next();
        if (done) controller.close();
        else controller.enqueue(Uint8Array.from(value));
      } catch (error) {
        broken = error;
        controller.error(error);
      }
    },
    cancel: () => void packed.return(),
  });
  const reader = source.pipeThrough(new DecompressionStream("gzip")).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (error) {
    // Only what was read and is wrong is the archive's fault.
    if (broken !== undefined) throw broken;
    throw new RefusedArchiveError(`it is not a whole gzip archive: ${String(error)}`);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
