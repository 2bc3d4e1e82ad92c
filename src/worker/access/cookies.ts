export const SESSION_COOKIE = "moltworker_session";

export interface CookieOptions {
  secure: boolean;
  maxAge: number;
  /**
   * `Lax` where a link from a chat must open the page; every state-changing call then needs a
   * matching `Origin` as well. `Strict` where no link from elsewhere has to work.
   */
  sameSite: "Lax" | "Strict";
}

export function cookieHeader(name: string, value: string, options: CookieOptions): string {
  const secure = options.secure ? "; Secure" : "";
  return `${name}=${value}; Path=/; Max-Age=${options.maxAge}; HttpOnly; SameSite=${options.sameSite}${secure}`;
}

/** Every value sent under a name: a host's other ports and parent domains can add cookies of theirs. */
export function cookieValues(request: Request, name: string): string[] {
  return (request.headers.get("cookie") ?? "")
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
    .slice(0, 4);
}
