/** What the query of a DevTools call says: which session is meant, and which page is to be opened. */
import type { WantedSession } from "./calls.ts";

export const SESSION_ID = "[0-9a-f-]{36}";
export const SESSION_PARAM = "session";

const ID = new RegExp(`^${SESSION_ID}$`);
/** Ours among the parameters of an address: a session that can be meant, and what is never passed on. */
const OURS = new RegExp(`(^|&)(${SESSION_PARAM}=(new|${SESSION_ID})|secret=[^&]*)(?=&|$)`, "g");

/** @returns undefined when it is malformed */
export function wantedSession(url: URL, path: string): WantedSession | undefined {
  const text = url.searchParams.get(SESSION_PARAM);
  if (text === null) return "shared";
  if (text === "new") return "fresh";
  if (ID.test(text)) return { id: text };
  return isOfAddress(url, path) ? "shared" : undefined;
}

/** Chrome takes the whole query as the address; some clients write `?url=`. */
export function newPageAddress({ search, searchParams }: URL): string | undefined {
  const named = searchParams.get("url");
  if (named !== null) return named;
  const whole = search.slice(1).replace(OURS, "").replace(/^&/, "");
  if (whole === "") return undefined;
  try {
    return decodeURIComponent(whole);
  } catch {
    return whole;
  }
}

/** The address of a new page may have a parameter of that name itself. */
function isOfAddress({ search, searchParams }: URL, path: string): boolean {
  const isAddress = path === "/json/new" && !searchParams.has("url");
  return isAddress && !search.startsWith(`?${SESSION_PARAM}=`);
}
