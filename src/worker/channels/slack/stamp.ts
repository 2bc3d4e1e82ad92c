/**
 * Marks the addresses that Slack gave to this agent: for an upload, for an answer to a command. Such an
 * address says not whose workspace it belongs to and needs no token, so one that somebody talked the
 * agent into using could carry anything away: only a marked one is passed on. Fails closed.
 */
import * as z from "zod";
import { derivedKey, sign, verifySignature } from "../../access/token.ts";

const MARK = "moltworker";
const HOSTS = new Set(["files.slack.com", "hooks.slack.com"]);

export async function stamped(address: string, botToken: string): Promise<string> {
  if (!URL.canParse(address) || !HOSTS.has(new URL(address).hostname)) return address;
  const { href } = new URL(address);
  const mark = await sign(await derivedKey(botToken, "slack address"), href);
  return `${href}${href.includes("?") ? "&" : "?"}${MARK}=${mark}`;
}

/** The address as Slack gave it; undefined when it is not one of those. */
export async function unstamped(address: string, botToken: string): Promise<string | undefined> {
  const [, href, mark] = /^(.+)[?&]moltworker=([\w-]{43})$/.exec(address) ?? [];
  if (href === undefined || mark === undefined) return undefined;
  const key = await derivedKey(botToken, "slack address");
  return (await verifySignature(key, href, mark)) ? href : undefined;
}

const answerable = z.looseObject({
  response_url: z.string().optional(),
  response_urls: z.array(z.looseObject({ response_url: z.string() })).optional(),
});

/** A command or an interaction, with its addresses for answers marked. */
export async function stampedForm(body: string, botToken: string): Promise<string> {
  const form = new URLSearchParams(body);
  const address = form.get("response_url");
  if (address !== null) form.set("response_url", await stamped(address, botToken));
  const payload = form.get("payload");
  const parsed = payload === null ? undefined : answerable.safeParse(JSON.parse(payload)).data;
  if (parsed !== undefined) {
    if (parsed.response_url !== undefined) {
      parsed.response_url = await stamped(parsed.response_url, botToken);
    }
    for (const one of parsed.response_urls ?? []) {
      one.response_url = await stamped(one.response_url, botToken);
    }
    form.set("payload", JSON.stringify(parsed));
  }
  return form.toString();
}

/** Slack's answer to `files.getUploadURLExternal`, with its address marked. */
export async function stampedUpload(answer: Response, botToken: string): Promise<Response> {
  const text = await answer.text();
  const headers = new Headers(answer.headers);
  headers.delete("content-length");
  const found = z.looseObject({ upload_url: z.string() }).safeParse(parseJson(text));
  if (!found.success) return new Response(text, { status: answer.status, headers });
  const upload_url = await stamped(found.data.upload_url, botToken);
  return Response.json({ ...found.data, upload_url }, { status: answer.status, headers });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
