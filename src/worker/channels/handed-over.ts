/**
 * What of the inbox goes along with the boot document: what a gateway took once and no backup is known to
 * hold. Bounded as a whole, because a document that the supervisor does not take starts no sandbox. Pure.
 */
import type { BootDocument } from "../../protocol/boot.ts";
import type { Letter } from "./channel.ts";

/** As they are written in the document; the rest of it has as much room again. */
export const MAX_HANDED_OVER_BYTES = 1_000_000;

/** @param letters newest first @returns the newest that fit, oldest first */
export function handedOver(
  letters: readonly Pick<Letter, "body" | "at">[],
): NonNullable<BootDocument["handedOver"]> {
  const encoder = new TextEncoder();
  const fitting: NonNullable<BootDocument["handedOver"]> = [];
  let bytes = 0;
  for (const { body, at } of letters) {
    const one = { update: body, at };
    // One more for the comma.
    bytes += encoder.encode(JSON.stringify(one)).byteLength + 1;
    if (bytes > MAX_HANDED_OVER_BYTES) break;
    fitting.push(one);
  }
  return fitting.toReversed();
}
