/** By what a request was let in, as the Worker wrote it down, and the answer when that is over. */
import { APP_HEADER, SESSION_HEADER, SESSION_OVER_HEADER } from "../access/session.ts";

/** When the session that asks began, as the Worker read it from the cookie it verified. */
export function sessionBegan({ headers }: Request): number | undefined {
  const text = headers.get(SESSION_HEADER);
  return text === null ? undefined : Number(text);
}

export function appOf({ headers }: Request): string | undefined {
  return headers.get(APP_HEADER) ?? undefined;
}

export function sessionOver(): Response {
  return new Response(null, { status: 401, headers: { [SESSION_OVER_HEADER]: "1" } });
}
