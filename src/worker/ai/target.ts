/** Path and query of a call at its provider. A key in the query (Gemini's other spelling) stops here. */
export function targetOf(path: string, url: URL): string {
  if (!url.searchParams.has("key")) return `${path}${url.search}`;
  const query = new URLSearchParams(url.search);
  query.delete("key");
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}
