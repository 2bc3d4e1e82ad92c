/**
 * `/_moltworker/pair`: a pairing code for a credential. Public, so it fails closed and costs little:
 * what is no code of ours is refused here, and only a real one is asked about in the Durable Object.
 * It never starts anything.
 *
 * A program sends JSON and gets JSON. A person, or a phone that scanned the code, gets a form that
 * keeps the credential in a cookie; the code travels in the fragment, which no server sees.
 */
import { html } from "hono/html";
import {
  exchangeReply,
  exchangeRequest,
  PAIR_PATH,
  type ExchangeRequest,
} from "../../protocol/apps.ts";
import type { FailureLimiter } from "../access/failures.ts";
import type { Gate, Visit } from "../access/gate.ts";
import { browserName } from "../access/journal.ts";
import { checkOrigin } from "../access/origin.ts";
import { type BoundedText, boundedText } from "../bounded-text.ts";
import { within } from "../deadline.ts";
import { errorReply, jsonReply, languageOf, ownHeaders, pageReply } from "../replies.ts";
import type { AppCalls } from "./calls.ts";
import type { PairingCodes } from "./code.ts";

export interface PairCall {
  visit: Visit;
  gate: Gate;
  codes: PairingCodes;
  /** Of codes alone, so that a mistyped one does not cost a try of the token. */
  failures: FailureLimiter;
  apps: AppCalls;
  agentId: string;
}

const MAX_BODY_BYTES = 4096;
const CALL_DEADLINE_MS = 10_000;

type Exchanged =
  | { ok: true; id: string; credential: string }
  | { ok: false; reason: "form" | "wrong" | "over" | "full" | "cross-origin" }
  | { ok: false; reason: "limited"; retryAfter: number };
type Refusal = Extract<Exchanged, { ok: false }>;

const TEXTS = {
  en: {
    title: "Let this phone or browser in",
    label: "Pairing code",
    submit: "Continue",
    first: "Enter the code that the agent's admin page shows.",
    form: "That is not understood: a code is needed.",
    wrong: "That is not a code of this agent. Look at it again.",
    over: "That code was used before, or is older than ten minutes. Make a new one on the admin page.",
    full: "There are too many apps already. Remove one on the admin page; the code still counts.",
    limited: "Too many wrong codes from your address. Wait a minute, then try again.",
    "cross-origin": "Another site made this request, so it was refused.",
  },
  zh: {
    title: "允许这部手机或浏览器进入",
    label: "配对码",
    submit: "继续",
    first: "请输入助手管理页上显示的配对码。",
    form: "无法理解：需要配对码。",
    wrong: "这不是此助手的配对码，请再核对一次。",
    over: "此配对码已被使用，或已超过十分钟。请在管理页上生成新的配对码。",
    full: "应用数量已达上限。请在管理页上移除一个；此配对码仍然有效。",
    limited: "来自你的地址的错误配对码过多。请等一分钟再试。",
    "cross-origin": "此请求来自其他网站，已被拒绝。",
  },
};

const STATUS: Record<Refusal["reason"], number> = {
  form: 400,
  wrong: 401,
  over: 401,
  full: 409,
  limited: 429,
  "cross-origin": 403,
};
const CODE: Record<Refusal["reason"], string> = {
  form: "malformed_form",
  wrong: "wrong_code",
  over: "code_over",
  full: "too_many_apps",
  limited: "too_many_attempts",
  "cross-origin": "cross_origin",
};

export async function pair(call: PairCall): Promise<Response> {
  const { visit, gate } = call;
  const { request } = visit;
  if (request.method === "GET") return page(visit, 200, "first", {});
  const isForm = (request.headers.get("content-type") ?? "").startsWith(
    "application/x-www-form-urlencoded",
  );
  const exchanged = await exchange(call, isForm);
  if (!exchanged.ok) return refuse(visit, exchanged, isForm);
  const { credential, id } = exchanged;
  if (isForm) {
    const cookie = gate.appCookie(visit, credential);
    return new Response(null, {
      status: 303,
      headers: ownHeaders({ Location: "/", "Set-Cookie": cookie }),
    });
  }
  const socket = `${gate.publicOrigin(visit.url).replace(/^http/, "ws")}/ws`;
  return jsonReply(
    200,
    exchangeReply.parse({ credential, app: id, agentId: call.agentId, socket }),
  );
}

async function exchange(call: PairCall, isForm: boolean): Promise<Exchanged> {
  const { visit, gate, codes, failures, apps } = call;
  const { request, client, now, journal } = visit;
  const made = checkOrigin(request, gate.ownOrigins(visit.url));
  // No browser sends JSON to another site without asking it first, and there is nothing to abuse.
  if (!made.ok && (isForm || made.reason === "cross-origin")) {
    return { ok: false, reason: "cross-origin" };
  }
  const retryAfter = failures.retryAfter(client, now);
  if (retryAfter !== undefined) return { ok: false, reason: "limited", retryAfter };
  const asked = readExchange(request, await boundedText(request, MAX_BODY_BYTES), isForm);
  if (asked === undefined) return { ok: false, reason: "form" };
  const refused = (reason: "wrong" | "over"): Exchanged => {
    failures.failed(client, now);
    journal.denied("app-code-refused", "");
    return { ok: false, reason };
  };
  const hash = await codes.read(asked.code);
  if (hash === undefined) return refused("wrong");
  const { id, credential } = await gate.issueApp(now);
  const { name = browserName(request.headers.get("user-agent")), deviceId } = asked;
  const redemption = {
    hash,
    id,
    name,
    from: client,
    ...(deviceId === undefined ? {} : { deviceId }),
  };
  const done = await within("the agent", CALL_DEADLINE_MS, apps.redeem(redemption));
  if (done.ok) return { ok: true, id, credential };
  return done.reason === "full" ? { ok: false, reason: "full" } : refused("over");
}

function readExchange(
  request: Request,
  body: BoundedText,
  isForm: boolean,
): ExchangeRequest | undefined {
  if (!body.ok) return undefined;
  if (isForm)
    return exchangeRequest.safeParse({ code: new URLSearchParams(body.text).get("code") }).data;
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get("content-type") ?? "")) {
    return undefined;
  }
  try {
    return exchangeRequest.safeParse(JSON.parse(body.text)).data;
  } catch {
    return undefined;
  }
}

function refuse(visit: Visit, refusal: Refusal, isForm: boolean): Promise<Response> {
  const { reason } = refusal;
  const headers: Record<string, string> =
    reason === "limited" ? { "Retry-After": String(refusal.retryAfter) } : {};
  if (isForm) return page(visit, STATUS[reason], reason, headers);
  const message = TEXTS.en[reason];
  return errorReply(visit.request, {
    status: STATUS[reason],
    code: CODE[reason],
    message,
    headers,
  });
}

/** Takes the code out of the address, so that neither the history nor a shared link keeps it. */
const SCRIPT = `const code = decodeURIComponent(location.hash.slice(1));
history.replaceState(null, "", location.pathname);
if (/^[0-9A-Za-z-]{1,64}$/.test(code)) document.getElementById("code").value = code;`;

function page(
  visit: Visit,
  status: number,
  reason: Refusal["reason"] | "first",
  headers: Record<string, string>,
): Promise<Response> {
  const text = TEXTS[languageOf(visit.request)];
  return pageReply(
    visit.request,
    status,
    text.title,
    html`<p role="${reason === "first" ? "note" : "alert"}">${text[reason]}</p>
      <form method="post" action="${PAIR_PATH}">
        <label for="code">${text.label}</label>
        <input
          id="code"
          name="code"
          required
          autofocus
          autocomplete="off"
          autocapitalize="characters"
          spellcheck="false"
          maxlength="64"
        />
        <button>${text.submit}</button>
      </form>`,
    headers,
    SCRIPT,
  );
}
