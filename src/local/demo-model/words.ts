/** Cuts a reply into the pieces it is streamed in: words, or two characters where none are parted. */
export function pieces(text: string): string[] {
  return text.match(/\p{Script=Han}{1,2}|[^\p{Script=Han}\s]+\s*|\s+/gu) ?? [];
}
