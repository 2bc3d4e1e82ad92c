/**
 * What somebody who is not (yet) an admin gets: a browser the way to the login or a page that says
 * what to do, a program JSON with a stable code. The precise reason goes to the log only.
 */
import { html } from "hono/html";
import {
  errorReply,
  isDocument,
  languageOf,
  ownHeaders,
  pageReply,
  type Html,
  type Language,
} from "../../replies.ts";
import type { AccessSettings } from "./settings.ts";

/** Set on the way to the login; coming back with it and without a token means that nobody adds one. */
const TRIED_COOKIE = "moltworker_access_tried";
const TRIED_SECONDS = 60;

export type AccessRefusal =
  | "login"
  | "uncovered"
  | "invalid"
  | "session-over"
  | "not-admin"
  | "no-keys";

const STATUS: Record<AccessRefusal, number> = {
  login: 401,
  uncovered: 401,
  invalid: 401,
  "session-over": 401,
  "not-admin": 403,
  "no-keys": 503,
};

const CODE: Record<AccessRefusal | "unconfigured", string> = {
  login: "access_login_required",
  uncovered: "access_login_required",
  invalid: "access_token_invalid",
  "session-over": "access_session_over",
  "not-admin": "not_an_admin",
  "no-keys": "access_keys_unavailable",
  unconfigured: "access_not_configured",
};

const TEXTS: Record<Language, Record<AccessRefusal | "title" | "again" | "leave", string>> = {
  en: {
    title: "Admin login",
    again: "Log in through Cloudflare Access",
    leave: "Log out of Cloudflare Access",
    login: "This needs a login through Cloudflare Access.",
    uncovered:
      "Cloudflare Access sent you back without an identity. Its application must cover this address: /_admin, /api and /debug of this host name.",
    invalid:
      "The identity that Cloudflare Access passed on is not valid here. If this stays after a new login, compare CF_ACCESS_TEAM_DOMAIN and CF_ACCESS_AUD with the Access application; the Worker's log says which part does not fit.",
    "session-over": "An admin session lasts 24 hours. Log out of Cloudflare Access and in again.",
    "not-admin":
      "You are logged in, but you are not an admin of this agent. Its owner can add your address to ADMIN_EMAILS.",
    "no-keys":
      "The login could not be checked because Cloudflare Access did not answer. Try again.",
  },
  zh: {
    title: "管理员登录",
    again: "通过 Cloudflare Access 登录",
    leave: "退出 Cloudflare Access",
    login: "需要通过 Cloudflare Access 登录。",
    uncovered:
      "Cloudflare Access 未附上身份就把你送了回来。其应用必须覆盖此地址：本主机名的 /_admin、/api 和 /debug。",
    invalid:
      "Cloudflare Access 传来的身份在此无效。若重新登录后仍然如此，请将 CF_ACCESS_TEAM_DOMAIN 和 CF_ACCESS_AUD 与 Access 应用核对；Worker 的日志会说明哪一项不符。",
    "session-over": "管理员会话持续 24 小时。请退出 Cloudflare Access 后重新登录。",
    "not-admin": "你已登录，但不是此助手的管理员。其所有者可将你的地址加入 ADMIN_EMAILS。",
    "no-keys": "Cloudflare Access 未响应，无法核验登录。请重试。",
  },
};

export async function refuseAdmin(
  request: Request,
  refusal: AccessRefusal,
  settings: AccessSettings,
): Promise<Response> {
  if (!isDocument(request)) {
    return errorReply(request, {
      status: STATUS[refusal],
      code: CODE[refusal],
      message: TEXTS.en[refusal],
    });
  }
  const login = loginAddress(request, settings);
  if (refusal === "login" || refusal === "invalid") {
    if (!cameBack(request)) {
      return new Response(null, {
        status: 302,
        headers: ownHeaders({ Location: login, "Set-Cookie": tried("1", TRIED_SECONDS) }),
      });
    }
    return page(request, refusal === "login" ? "uncovered" : refusal, loginLink(request, login));
  }
  return page(request, refusal, refusal === "no-keys" ? html`` : leaveLink(request));
}

export function refuseUnconfigured(
  request: Request,
  missing: readonly string[],
): Promise<Response> {
  return errorReply(request, {
    status: 403,
    code: CODE.unconfigured,
    message:
      languageOf(request) === "zh" && isDocument(request)
        ? `管理页面已关闭，因为缺少以下设置：${missing.join("、")}。`
        : `The admin page is closed because these settings are missing: ${missing.join(", ")}.`,
    details: { missing },
  });
}

/** Access logs in for one host name and sends the browser on to a path of it. */
function loginAddress(request: Request, { teamOrigin, audiences }: AccessSettings): string {
  const here = new URL(request.url);
  // A link with a token in it is nothing to tell somebody else.
  here.searchParams.delete("token");
  const { hostname, pathname, search } = here;
  const address = new URL(`/cdn-cgi/access/login/${hostname}`, teamOrigin);
  const [audience] = audiences;
  if (audience !== undefined) address.searchParams.set("kid", audience);
  address.searchParams.set("redirect_url", `${pathname}${search}`);
  return address.href;
}

function cameBack(request: Request): boolean {
  return (request.headers.get("cookie") ?? "")
    .split(";")
    .some((pair) => pair.trim() === `${TRIED_COOKIE}=1`);
}

function tried(value: string, maxAge: number): string {
  return `${TRIED_COOKIE}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; Secure; SameSite=Lax`;
}

function loginLink(request: Request, address: string): Html {
  return html`<p><a href="${address}">${TEXTS[languageOf(request)].again}</a></p>`;
}

/** The edge answers this path of every host name that an application covers. */
function leaveLink(request: Request): Html {
  return html`<p><a href="/cdn-cgi/access/logout">${TEXTS[languageOf(request)].leave}</a></p>`;
}

function page(request: Request, refusal: AccessRefusal, way: Html): Promise<Response> {
  const text = TEXTS[languageOf(request)];
  return pageReply(
    request,
    STATUS[refusal],
    text.title,
    html`<p role="alert">${text[refusal]}</p>
      ${way}`,
    // Shown once: loading the page again may try the login again.
    { "Set-Cookie": tried("", 0) },
  );
}
