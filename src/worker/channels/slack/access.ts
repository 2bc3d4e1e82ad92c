/**
 * Calls of the sandbox to Slack. The bot token is put in place only of the exact placeholder in
 * `Authorization`, only for the Web API and for files; calls that carry any other token, and methods
 * that hand a credential out or turn the bot away, are answered here. Fails closed.
 */
import * as z from "zod";
import { boundedText } from "../../bounded-text.ts";
import type { PlatformAccess } from "../platform-access.ts";
import { outgoingHeaders, substitutedAuthorization, withheld } from "../substitution.ts";
import { slackAddress } from "./api.ts";
import { SLACK_PLACEHOLDER, slackSecrets, type SlackSettings } from "./settings.ts";
import { stampedUpload, unstamped } from "./stamp.ts";
import { tokenless } from "./token-field.ts";

const HOSTS = ["slack.com", "files.slack.com", "hooks.slack.com"] as const;
/** They hand out a credential or a connection, change the app itself, or turn the bot away. */
const REFUSED =
  /^(admin|apps|oauth|openid|tooling|rtm|migration|auth\.revoke|users\.deletePhoto)(\.|$)/;
const WRITES = /^\/api\/(chat\.(postMessage|startStream)|files\.completeUploadExternal)$/;
const MAX_REFUSAL_BYTES = 16 * 1024;
const refusedReply = z.object({ ok: z.literal(false), error: z.string().default("unknown_error") });
/** Blocks and modals stay far below; files go another way. */
const MAX_CALL_BYTES = 1024 ** 2;

export function slackAccess(settings: SlackSettings): PlatformAccess {
  return {
    channel: "slack",
    writes: ({ url }) => WRITES.test(new URL(url).pathname),
    async refused(answer) {
      // What is longer than any refusal is none.
      const body = await boundedText(answer, MAX_REFUSAL_BYTES);
      if (!answer.bodyUsed) await answer.body?.cancel();
      return body.ok ? refusalIn(body.text) : undefined;
    },
    hosts: HOSTS,
    async answer(request, reach) {
      const url = new URL(request.url);
      const call = await callFor(request, url, settings);
      if (call instanceof Response) {
        await request.body?.cancel();
        return call;
      }
      const { to = url, ...init } = call;
      const passed = await reach(slackAddress(to, settings), { ...init, redirect: "manual" });
      const answer = withheld(passed, slackSecrets(settings));
      return url.pathname === "/api/files.getUploadURLExternal"
        ? stampedUpload(answer, settings.botToken)
        : answer;
    },
  };
}

/** What is sent instead of the sandbox's request; `to` when its address is not the same. */
interface Outgoing {
  to?: URL;
  method: string;
  headers: Headers;
  body?: string | ArrayBuffer | ReadableStream | null;
}

async function callFor(
  request: Request,
  url: URL,
  settings: SlackSettings,
): Promise<Outgoing | Response> {
  if (url.searchParams.has("token")) return refusal("invalid_auth");
  if (url.hostname === "slack.com") return apiCall(request, url, settings);
  const reads = request.method === "GET" || request.method === "HEAD";
  return reads && url.hostname === "files.slack.com"
    ? fileCall(request, settings)
    : givenCall(request, url, settings);
}

async function apiCall(
  request: Request,
  { pathname }: URL,
  { botToken }: SlackSettings,
): Promise<Outgoing | Response> {
  const [, method] = /^\/api\/([a-z]+(?:\.[A-Za-z0-9]+)+)$/.exec(pathname) ?? [];
  if (method === undefined) return refusal("unknown_method");
  if (!request.headers.has("authorization")) return refusal("not_authed");
  const headers = withToken(request.headers, botToken);
  if (headers === undefined) return refusal("invalid_auth");
  if (REFUSED.test(method)) return refusal("restricted_action");
  if (request.method === "GET" || request.method === "HEAD") {
    return { method: request.method, headers };
  }
  const body = await tokenless(request, MAX_CALL_BYTES, SLACK_PLACEHOLDER);
  if (!body.ok) return refusal(body.reason === "too-long" ? "request_too_large" : "invalid_auth");
  // It may have become shorter.
  headers.delete("content-length");
  return { method: request.method, headers, body: body.bytes };
}

function fileCall({ method, headers: given }: Request, { botToken }: SlackSettings) {
  const headers = given.has("authorization") ? withToken(given, botToken) : outgoingHeaders(given);
  return headers === undefined ? refusal("invalid_auth") : { method, headers };
}

/** An upload, or an answer to a command: to an address that Slack gave, and without a token. */
async function givenCall(
  request: Request,
  { href }: URL,
  { botToken }: SlackSettings,
): Promise<Outgoing | Response> {
  const address = await unstamped(href, botToken);
  if (request.method !== "POST" || address === undefined) return refusal("not_allowed");
  return {
    to: new URL(address),
    method: "POST",
    headers: bare(request.headers),
    body: request.body,
  };
}

function withToken(headers: Headers, token: string): Headers | undefined {
  return substitutedAuthorization(
    outgoingHeaders(headers),
    `Bearer ${SLACK_PLACEHOLDER}`,
    `Bearer ${token}`,
  );
}

function bare(headers: Headers): Headers {
  const out = outgoingHeaders(headers);
  out.delete("authorization");
  return out;
}

/** Slack's word for why it did not do what was asked. */
function refusalIn(text: string): string | undefined {
  try {
    return refusedReply.safeParse(JSON.parse(text)).data?.error.slice(0, 100);
  } catch {
    return undefined;
  }
}

/** As the Web API writes its errors, so that the client says them. */
function refusal(error: string): Response {
  return Response.json({ ok: false, error, response_metadata: { messages: [WHO] } });
}

const WHO = "[ERROR] refused by moltworker, which keeps the token outside the sandbox";
