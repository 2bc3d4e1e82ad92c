/** The login form, the exchange of a token in a link, and what a refused visitor is told. */
import { html } from "hono/html";
import * as z from "zod";
import {
  errorReply,
  isDocument,
  languageOf,
  ownHeaders,
  pageReply,
  type Language,
} from "../replies.ts";
import { boundedText } from "../bounded-text.ts";
import type { Entry, Gate, Visit } from "./gate.ts";
import { checkOrigin } from "./origin.ts";

type Refused = Extract<Entry, { ok: false }>;
type RefusedReason = Refused["reason"] | "form";

const TEXTS: Record<Language, Record<RefusedReason | "title" | "label" | "submit", string>> = {
  en: {
    title: "Log in to your agent",
    label: "Gateway token",
    submit: "Log in",
    none: "This agent is private. Open the link with your token, or enter the token here.",
    form: "Enter the gateway token.",
    expired: "Your session has ended. Enter the gateway token to log in again.",
    "wrong-token":
      "That token is not right. It is the value of MOLTBOT_GATEWAY_TOKEN; after it was changed, old links stop working.",
    limited: "Too many wrong tokens from your address. Wait a minute, then try again.",
    "cross-origin": "Another site made this request, so it was refused.",
  },
  zh: {
    title: "登录你的助手",
    label: "网关令牌",
    submit: "登录",
    none: "此助手不公开。请打开带令牌的链接，或在此输入令牌。",
    form: "请输入网关令牌。",
    expired: "会话已结束。请输入网关令牌重新登录。",
    "wrong-token": "令牌不正确。它是 MOLTBOT_GATEWAY_TOKEN 的值；更换之后，旧链接会失效。",
    limited: "来自你的地址的错误令牌过多。请等一分钟再试。",
    "cross-origin": "此请求来自其他网站，已被拒绝。",
  },
};

/** Where a login may lead back to: a path of this origin, nothing else. */
const backPath = z
  .string()
  .max(2048)
  .regex(/^\/(?![/\\])[\x21-\x7e]*$/)
  .catch("/");

export async function refuseEntry(visit: Visit, refused: Refused): Promise<Response> {
  const { request, url } = visit;
  if (refused.reason === "cross-origin") {
    return errorReply(request, {
      status: 403,
      code: "cross_origin",
      message: TEXTS[languageOf(request)]["cross-origin"],
    });
  }
  const status = refused.reason === "limited" ? 429 : 401;
  const headers: Record<string, string> =
    refused.reason === "limited"
      ? { "Retry-After": String(refused.retryAfter) }
      : { "WWW-Authenticate": "Bearer" };
  if (isDocument(request) && !request.headers.has("upgrade")) {
    return loginPage(visit, refused.reason, status, headers, withoutTokenParam(url));
  }
  return errorReply(request, {
    status,
    code: refused.reason === "limited" ? "too_many_attempts" : "unauthorized",
    message: TEXTS.en[refused.reason],
    headers,
  });
}

/** `GET …?token=…`: the same address without it, and a cookie. */
export async function exchangeLink(visit: Visit, gate: Gate, token: string): Promise<Response> {
  const traded = await gate.trade(visit, token);
  if (!traded.ok) return refuseEntry(visit, traded);
  return redirect(withoutTokenParam(visit.url), traded.cookie);
}

const MAX_FORM_BYTES = 4096;

/** `/_moltworker/login`: the form, and its answer. */
export async function login(visit: Visit, gate: Gate): Promise<Response> {
  const { request, url } = visit;
  if (request.method === "GET") return loginPage(visit, "form", 200, {}, "/");
  if (!checkOrigin(request, gate.ownOrigins(url)).ok) {
    return refuseEntry(visit, { ok: false, reason: "cross-origin" });
  }
  const type = request.headers.get("content-type") ?? "";
  const body = await boundedText(request, MAX_FORM_BYTES);
  if (!body.ok || !type.startsWith("application/x-www-form-urlencoded")) {
    return errorReply(request, {
      status: 400,
      code: "malformed_form",
      message: "The login form was not understood.",
    });
  }
  const form = new URLSearchParams(body.text);
  const back = backPath.parse(form.get("back"));
  const traded = await gate.trade(visit, (form.get("token") ?? "").trim());
  if (traded.ok) return redirect(back, traded.cookie);
  const limited = traded.reason === "limited";
  return loginPage(
    visit,
    traded.reason,
    limited ? 429 : 401,
    limited ? { "Retry-After": String(traded.retryAfter) } : { "WWW-Authenticate": "Bearer" },
    back,
  );
}

/** `POST /_moltworker/logout`. */
export async function logout(visit: Visit, gate: Gate): Promise<Response> {
  if (!checkOrigin(visit.request, gate.ownOrigins(visit.url)).ok) {
    return refuseEntry(visit, { ok: false, reason: "cross-origin" });
  }
  return redirect("/_moltworker/login", gate.forget(visit));
}

function redirect(to: string, cookie: string): Response {
  return new Response(null, {
    status: 303,
    headers: ownHeaders({ Location: to, "Set-Cookie": cookie }),
  });
}

function withoutTokenParam(url: URL): string {
  const kept = new URLSearchParams(url.search);
  kept.delete("token");
  const query = kept.toString();
  return backPath.parse(`${url.pathname}${query === "" ? "" : `?${query}`}`);
}

function loginPage(
  visit: Visit,
  reason: RefusedReason,
  status: number,
  headers: Record<string, string>,
  back: string,
): Promise<Response> {
  const text = TEXTS[languageOf(visit.request)];
  const role = reason === "none" || reason === "form" ? "note" : "alert";
  return pageReply(
    visit.request,
    status,
    text.title,
    html`<p role="${role}">${text[reason]}</p>
      <form method="post" action="/_moltworker/login">
        <label for="token">${text.label}</label>
        <input
          id="token"
          name="token"
          type="password"
          required
          autofocus
          autocomplete="current-password"
        />
        <input name="back" type="hidden" value="${back}" />
        <button>${text.submit}</button>
      </form>`,
    headers,
  );
}
