/** Answers of the Durable Object itself, for programs; people get the waiting page. */
const SECURE = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

export function refusal(
  status: number,
  code: string,
  message: string,
  retryAfterSeconds?: number,
): Response {
  const headers = new Headers(SECURE);
  if (retryAfterSeconds !== undefined) {
    headers.set("retry-after", String(Math.max(1, Math.ceil(retryAfterSeconds))));
  }
  return Response.json({ error: { code, message } }, { status, headers });
}
