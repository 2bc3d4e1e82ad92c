/**
 * The `token` field of a call's body. Slack's client also writes its token there when it was given
 * with the call; Slack would take it, so only the placeholder may be there, and it is taken out: the
 * header carries the real one. Any other token would speak to somebody else's workspace. Fails closed.
 */
export type Tokenless =
  | { ok: true; bytes: ArrayBuffer | string }
  | { ok: false; reason: "too-long" | "token" };

export async function tokenless(
  request: Request,
  limit: number,
  placeholder: string,
): Promise<Tokenless> {
  const bytes = await bounded(request, limit);
  if (bytes === undefined) return { ok: false, reason: "too-long" };
  const type = (request.headers.get("content-type") ?? "").toLowerCase();
  if (type.startsWith("multipart/form-data")) return multipart(bytes);
  const text = new TextDecoder().decode(bytes);
  if (type.startsWith("application/json")) return json(text, placeholder);
  const form = new URLSearchParams(text);
  const tokens = form.getAll("token");
  if (tokens.length === 0) return { ok: true, bytes: text };
  if (tokens.some((token) => token !== placeholder)) return { ok: false, reason: "token" };
  form.delete("token");
  return { ok: true, bytes: form.toString() };
}

function json(text: string, placeholder: string): Tokenless {
  let value: unknown;
  try {
    value = JSON.parse(text === "" ? "{}" : text);
  } catch {
    return { ok: false, reason: "token" };
  }
  if (typeof value !== "object" || value === null || !("token" in value)) {
    return { ok: true, bytes: text };
  }
  if (value.token !== placeholder) return { ok: false, reason: "token" };
  const { token: _, ...rest } = value;
  return { ok: true, bytes: JSON.stringify(rest) };
}

/** The client puts a token into none of these. */
function multipart(bytes: ArrayBuffer): Tokenless {
  const text = new TextDecoder("latin1").decode(bytes);
  return /name\*?\s*=\s*"?(utf-8'')?token\b/i.test(text)
    ? { ok: false, reason: "token" }
    : { ok: true, bytes };
}

async function bounded(request: Request, limit: number): Promise<ArrayBuffer | undefined> {
  if (Number(request.headers.get("content-length") ?? 0) > limit) return undefined;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    if (length > limit) return undefined;
    chunks.push(chunk);
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all.buffer;
}
