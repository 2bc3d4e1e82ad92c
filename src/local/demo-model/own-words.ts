/**
 * What a person typed, without what the gateway wraps around it: blocks of internal context,
 * marked context blocks, delivery hints, and the bracketed envelope with the time in front.
 */
const INTERNAL_BLOCK =
  /<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>[\s\S]*?(?:<<<END_OPENCLAW_INTERNAL_CONTEXT>>>|$)/g;
/** A header line with the marker, then a fenced block or the lines up to an empty one. */
const MARKED_BLOCK =
  /^[^\n]*⟦openclaw:ctx⟧[ \t]*(?:\n[ \t]*```json[ \t]*\n[\s\S]*?\n[ \t]*```[ \t]*(?=\n|$)|(?:\n[^\n]*\S[^\n]*)*)/gm;
/** What a new conversation on a chat platform begins with. */
const RUNTIME_LINE = /^Runtime: agent=.*$/gm;
const DELIVERY_HINT = /^Delivery: .*$/gm;
/** `[Sun 2026-11-22 21:30 UTC] `, or with a channel and a sender in front of the time. */
const ENVELOPE = /^\s*\[[^\]\n]*\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}[^\]\n]*\][ \t]*/;

export function ownWords(text: string): string {
  const bare = text
    .replace(INTERNAL_BLOCK, "")
    .replace(ENVELOPE, "")
    .replace(MARKED_BLOCK, "")
    .replace(DELIVERY_HINT, "")
    .replace(RUNTIME_LINE, "")
    .trim();
  return bare.replace(ENVELOPE, "").trim();
}
