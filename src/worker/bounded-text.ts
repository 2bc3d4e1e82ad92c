/**
 * How much more than its bound of a body is read and thrown away. workerd cuts a line on which a
 * body was left unread, and then its sender may see the cut and not the answer.
 */
const DISCARDED_BYTES = 4 * 1024 * 1024;

export type BoundedText =
  | { ok: true; text: string }
  | { ok: false; status: 400 | 413; code: "body_too_large" | "body_unreadable"; message: string };

/** The body as text of at most `limit` bytes of UTF-8, or why not. */
export async function boundedText(sent: Request | Response, limit: number): Promise<BoundedText> {
  const declared = lengthOf(sent);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let text = "";
  let bytes = 0;
  const tooMuch = () => Math.max(declared, bytes) > limit;
  const hopeless = () => Math.max(declared, bytes) > limit + DISCARDED_BYTES;
  try {
    for await (const chunk of hopeless() ? [] : (sent.body ?? [])) {
      bytes += chunk.byteLength;
      if (hopeless()) break;
      if (!tooMuch()) text += decoder.decode(chunk, { stream: true });
    }
    if (tooMuch()) {
      const message = `The body has more than ${limit} bytes.`;
      return { ok: false, status: 413, code: "body_too_large", message };
    }
    return { ok: true, text: text + decoder.decode() };
  } catch {
    const message = "The body is no UTF-8 text, or ended early.";
    return { ok: false, status: 400, code: "body_unreadable", message };
  }
}

/** What is no number says nothing; then the bytes alone are counted. */
function lengthOf({ headers }: Request | Response): number {
  const length = Number(headers.get("content-length") ?? 0);
  return Number.isNaN(length) ? 0 : length;
}
