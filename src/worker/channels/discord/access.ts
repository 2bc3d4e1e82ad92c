/**
 * Calls of the sandbox to Discord. `Authorization: Bot <placeholder>` becomes the real one, on
 * discord.com's API and nowhere else; media are fetched without it; the Gateway is the façade in the
 * Durable Object. What hands out a credential or decides where the bot's messages go is answered here
 * or refused. Fails closed: a resource that is not listed is refused.
 */
import type { PlatformAccess } from "../platform-access.ts";
import { outgoingHeaders, substitutedAuthorization, withheld } from "../substitution.ts";
import { discordSecrets, FACADE_HOST, placeholderToken, type DiscordSettings } from "./settings.ts";

const MEDIA_HOSTS = ["cdn.discordapp.com", "media.discordapp.net"] as const;
/** Where Discord has large attachments put, at an address it signed. */
const UPLOAD_HOST = "discord-attachments-uploads-prd.storage.googleapis.com";
const RESOURCES = new Set([
  ...["applications", "channels", "guilds", "interactions", "invites", "soundboard-default-sounds"],
  ...["stage-instances", "sticker-packs", "stickers", "users", "voice", "webhooks"],
]);
const GATEWAY = {
  url: `wss://${FACADE_HOST}`,
  shards: 1,
  session_start_limit: { total: 1_000, remaining: 1_000, reset_after: 0, max_concurrency: 1 },
};

export function discordAccess(settings: DiscordSettings): PlatformAccess {
  const expected = `Bot ${placeholderToken(settings)}`;
  const secrets = discordSecrets(settings);
  const { origin } = new URL(settings.apiUrl);
  const own = origin !== "https://discord.com";

  async function media(request: Request, url: URL, reach: typeof fetch): Promise<Response> {
    const upload = url.hostname === UPLOAD_HOST;
    if (request.method !== (upload ? "PUT" : "GET"))
      return refusal(405, "moltworker passes only GET on");
    const headers = outgoingHeaders(request.headers);
    headers.delete("authorization");
    const address = own ? `${origin}${url.pathname}${url.search}` : url.href;
    const { body, method } = request;
    return withheld(
      await reach(new Request(address, { method, headers, body, redirect: "manual" })),
      secrets,
    );
  }

  async function api(request: Request, url: URL, reach: typeof fetch): Promise<Response> {
    const path = apiPath(url.pathname);
    if (path === undefined) return refusal(404, "404: Not Found");
    const verdict = judge(request.method, path.segments, settings.botId);
    if (verdict === "gateway") return Response.json(GATEWAY);
    if (verdict === "refuse") return refusal(403, "moltworker keeps this to itself");
    const given = request.headers.get("authorization");
    const headers =
      given === null && verdict === "tokenless"
        ? request.headers
        : substitutedAuthorization(request.headers, expected, `Bot ${settings.token}`);
    if (headers === undefined) return refusal(401, "401: Unauthorized");
    const { body, method } = request;
    const address = `${settings.apiUrl}/${path.text}${url.search}`;
    const passed = { method, headers: outgoingHeaders(headers), body, redirect: "manual" } as const;
    return withheld(await reach(new Request(address, passed)), secrets);
  }

  return {
    hosts: ["discord.com", FACADE_HOST, UPLOAD_HOST, ...MEDIA_HOSTS],
    sockets: [FACADE_HOST],
    channel: "discord",
    writes: ({ method, url }) =>
      method === "POST" && /\/(?:channels\/\d+\/messages|callback)$/.test(new URL(url).pathname),
    async answer(request, reach) {
      const url = new URL(request.url);
      const answer =
        url.hostname === "discord.com"
          ? await api(request, url, reach)
          : url.hostname === FACADE_HOST
            ? refusal(426, "The Gateway speaks WebSocket")
            : await media(request, url, reach);
      if (!request.bodyUsed) await request.body?.cancel();
      return answer;
    },
  };
}

/** Below `/api` or `/api/v10`: as it was written, and its parts as Discord will read them. */
export function apiPath(pathname: string): { text: string; segments: string[] } | undefined {
  const [, text] = /^\/api\/(?:v(?:9|10)\/)?(.+)$/.exec(pathname) ?? [];
  if (text === undefined) return undefined;
  const segments: string[] = [];
  for (const raw of text.split("/")) {
    const segment = decoded(raw);
    // A part that is a path itself, or steps out of one, could be read as another one.
    if (segment === undefined || /^\.*$/.test(segment) || /[/\\\p{Cc}]/u.test(segment))
      return undefined;
    segments.push(segment);
  }
  return { text, segments };
}

export type Judgement = "token" | "tokenless" | "gateway" | "refuse";

/** What a call may do; `tokenless` carries its own proof in the path. Pure. */
export function judge(method: string, segments: readonly string[], botId: string): Judgement {
  const [resource = "", first = "", second = "", third = "", fourth = ""] = segments.map((each) =>
    each.toLowerCase(),
  );
  const reads = method === "GET";
  if (resource === "gateway" && reads && segments.length <= 2) return "gateway";
  // Who this application is: what the plugin asks for at its start.
  if (resource === "oauth2") {
    return reads && first === "applications" && second === "@me" && segments.length === 3
      ? "token"
      : "refuse";
  }
  if (!RESOURCES.has(resource)) return "refuse";
  if (resource === "interactions") return third === "callback" ? "tokenless" : "refuse";
  // Answers to commands go to a webhook of the application; any other one is somebody's credential.
  if (resource === "webhooks") return first === botId && second !== "" ? "tokenless" : "refuse";
  if (resource === "channels" || resource === "guilds") {
    return second === "webhooks" || second === "followers" ? "refuse" : "token";
  }
  if (resource === "applications" && !reads) {
    return second === "commands" || (second === "guilds" && fourth === "commands")
      ? "token"
      : "refuse";
  }
  if (resource === "users" && !reads)
    return first === "@me" && second === "channels" ? "token" : "refuse";
  return "token";
}

/** As Discord writes its errors. */
function refusal(status: number, message: string): Response {
  return Response.json({ message, code: 0 }, { status });
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
