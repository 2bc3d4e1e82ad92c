/** The body as text, or undefined once it is longer than `limit` bytes or no UTF-8. */
export async function boundedText(
  message: Request | Response,
  limit: number,
): Promise<string | undefined> {
  if (Number(message.headers.get("content-length") ?? 0) > limit) return undefined;
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let text = "";
  let bytes = 0;
  try {
    for await (const chunk of message.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > limit) return undefined;
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  } catch {
    return undefined;
  }
}
