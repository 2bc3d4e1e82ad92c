/** More would keep a person waiting, and the gateway busy: it goes over the whole reply with each. */
const MOST = 120;

/**
 * Cuts a reply into the pieces it is streamed in: words, or two characters where none are parted;
 * several at once when there are many.
 */
export function pieces(text: string): string[] {
  const words = text.match(/\p{Script=Han}{1,2}|[^\p{Script=Han}\s]+\s*|\s+/gu) ?? [];
  const together = Math.max(1, Math.ceil(words.length / MOST));
  return Array.from({ length: Math.ceil(words.length / together) }, (_, n) =>
    words.slice(n * together, (n + 1) * together).join(""),
  );
}
