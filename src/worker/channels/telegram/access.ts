/**
 * Calls of the sandbox to Telegram's Bot API. Only `/bot<placeholder>/<method>` and
 * `/file/bot<placeholder>/<path>` are passed on, with the real token in exactly that place; methods
 * that decide where the bot's messages go are answered here. Fails closed.
 */
import type { PlatformAccess } from "../platform-access.ts";
import { outgoingHeaders, withheld } from "../substitution.ts";
import { placeholderToken, telegramSecrets, type TelegramSettings } from "./settings.ts";

/** The Worker owns the registration: to the gateway these work and change nothing. */
const ANSWERED = new Map<string, unknown>([
  ["setwebhook", true],
  ["deletewebhook", true],
  [
    "getwebhookinfo",
    {
      url: "https://webhooks.moltworker.internal/telegram",
      has_custom_certificate: false,
      pending_update_count: 0,
    },
  ],
]);
/** They would turn the bot away from its server, take messages past the inbox, or hand out a token. */
const REFUSED = new Set([
  "logout",
  "close",
  "getupdates",
  "getmanagedbottoken",
  "replacemanagedbottoken",
]);

export function telegramAccess(settings: TelegramSettings): PlatformAccess {
  const placeholder = placeholderToken(settings);
  return {
    hosts: ["api.telegram.org"],
    channel: "telegram",
    writes: ({ url }) => /\/send(?!ChatAction)[A-Za-z]+$/.test(new URL(url).pathname),
    async answer(request, reach) {
      const url = new URL(request.url);
      const path = realPath(url.pathname, placeholder, settings.token);
      if (path === undefined) return refusal(401, "Unauthorized");
      const method = path.method.toLowerCase();
      const known = ANSWERED.get(method);
      if (known !== undefined) {
        await request.body?.cancel();
        return Response.json({ ok: true, result: known });
      }
      if (REFUSED.has(method)) {
        await request.body?.cancel();
        return refusal(403, "Forbidden: moltworker keeps this method to itself");
      }
      const headers = outgoingHeaders(request.headers);
      const outgoing = new Request(request, { headers, redirect: "manual" });
      const answer = await reach(
        new Request(`${settings.apiUrl}${path.path}${url.search}`, outgoing),
      );
      return withheld(answer, telegramSecrets(settings));
    },
  };
}

/** The path with the token in its place; undefined when it is of another shape. */
export function realPath(
  pathname: string,
  placeholder: string,
  token: string,
): { path: string; method: string } | undefined {
  const [, prefix, given, rest = ""] = /^\/(file\/bot|bot)([^/]+)\/(.+)$/.exec(pathname) ?? [];
  if (prefix === undefined || given !== placeholder) return undefined;
  if (rest.split("/").some((segment) => /^\.*$/.test(segment))) return undefined;
  // A Bot API method is one word; whatever else is there is a file's path.
  if (prefix === "bot" && !/^(test\/)?[A-Za-z]{1,64}$/.test(rest)) return undefined;
  return {
    path: `/${prefix}${token}/${rest}`,
    method: prefix === "bot" ? rest.replace(/^test\//, "") : "",
  };
}

/** As the Bot API writes its errors. */
function refusal(code: number, description: string): Response {
  return Response.json({ ok: false, error_code: code, description }, { status: code });
}
