/**
 * The CDP proxy: a Chrome debugging port's HTTP interface and its WebSockets
 * (https://chromedevtools.github.io/devtools-protocol/#endpoints), over the browser binding. No
 * command is read or remade: a WebSocket's answer is returned as the binding gave it.
 */
import * as z from "zod";
import { DeadlineError, within } from "../deadline.ts";
import { isUpgrade } from "../limits.ts";
import { jsonReply } from "../replies.ts";
import type { BrowserCaller, BrowserCalls, Opened, WantedSession } from "./calls.ts";
import { newPageAddress, SESSION_ID, SESSION_PARAM, wantedSession } from "./query.ts";
import { BrowserService, errorOf, type BrowserBinding } from "./service.ts";

export interface CdpCall {
  request: Request;
  /** The path below the proxy's root: `/json/version`. */
  path: string;
  /** Where this proxy's root is for the client: `wss://agent.example.org/cdp`. */
  root: string;
  caller: BrowserCaller;
  browser: BrowserCalls;
  binding: BrowserBinding | undefined;
  /** For a browser that is still on its way when the call is answered. */
  waitUntil(work: Promise<unknown>): void;
}

const TARGET = "[A-Za-z0-9-]{1,64}";
const BROWSER_SOCKET = new RegExp(`^/devtools/browser/(${SESSION_ID})$`);
const PAGE_SOCKET = new RegExp(`^/devtools/page/(${TARGET})$`);
const JSON_CALL = new RegExp(`^/json(/(version|list|protocol|new|(activate|close)/${TARGET}))?$`);
const OF_A_PAGE = /^\/json\/(activate|close)\//;
/** The room may wait for a place at the service, and for a browser that is slow to come. */
const ROOM_DEADLINE_MS = 120_000;
/** The agent's gateway (2026.9.6) gives up on a description after 1.5 s, and on a socket later. */
const DESCRIBED_MS = 1_000;

const STATUS = {
  off: 503,
  stale: 403,
  cap: 429,
  limit: 429,
  expired: 410,
  unreachable: 502,
} as const;

const addressed = z.looseObject({
  id: z.string().optional(),
  webSocketDebuggerUrl: z.string().optional(),
  devtoolsFrontendUrl: z.string().optional(),
});

export async function answerCdp(call: CdpCall): Promise<Response> {
  try {
    return await answered(call);
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    return refuse(502, "browser_unreachable", `${error.message}.`);
  }
}

async function answered(call: CdpCall): Promise<Response> {
  const { request, binding } = call;
  const path = call.path.replace(/\/+$/, "");
  const service = binding === undefined ? undefined : new BrowserService(binding);
  if (isUpgrade(request)) return openSocket(call, service, path);
  if (!JSON_CALL.test(path)) return refuse(404, "not_found", "DevTools has no such address.");
  if (request.method !== "GET" && !(request.method === "PUT" && path === "/json/new")) {
    return refuse(405, "method_not_allowed", "This address takes GET, and PUT for /json/new.");
  }
  const wanted = wantedSession(new URL(request.url), path);
  if (wanted === undefined) return badSession();
  const answer = inSession(call, service, wanted, async (open, sessionId) => {
    const reply =
      path === "/json/new"
        ? await newPage(request, open, sessionId)
        : await open.devtools(sessionId, path === "/json" ? "/json/list" : path, "GET");
    if (reply.status === 404 && !OF_A_PAGE.test(path)) return "gone";
    return passOn(call, sessionId, path, reply);
  });
  const usual = call.caller.holder === "agent" && path === "/json/version" && wanted === "shared";
  return usual ? soon(call, answer) : answer;
}

/** A browser that takes longer to come is said to be there: whoever connects waits for it. */
async function soon(call: CdpCall, answer: Promise<Response>): Promise<Response> {
  try {
    return await within("the browser", DESCRIBED_MS, answer);
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    call.waitUntil(answer.catch(() => undefined));
    const described = { Browser: "Chrome", "Protocol-Version": "1.3" };
    return jsonReply(200, { ...described, webSocketDebuggerUrl: call.root });
  }
}

/** Whoever named no session gets another one when theirs turns out to have ended. */
async function inSession(
  { browser, caller }: CdpCall,
  service: BrowserService | undefined,
  wanted: WantedSession,
  use: (service: BrowserService, sessionId: string) => Promise<Response | "gone">,
): Promise<Response> {
  for (let tries = wanted === "shared" ? 2 : 1; tries > 0; tries -= 1) {
    const opened = await inTime(browser.open(caller, wanted));
    if (!opened.ok || service === undefined) return refuseOpened(opened);
    const answer = await use(service, opened.sessionId);
    if (answer !== "gone") return answer;
    await inTime(browser.gone(opened.sessionId));
  }
  return refuse(
    410,
    "session_expired",
    "That browser session has ended. Ask /json/version for another one.",
  );
}

function newPage(request: Request, service: BrowserService, sessionId: string): Promise<Response> {
  const url = newPageAddress(new URL(request.url));
  const query = url === undefined ? "" : `?${new URLSearchParams({ url })}`;
  return service.devtools(sessionId, `/json/new${query}`, "PUT");
}

async function passOn(
  call: CdpCall,
  sessionId: string,
  path: string,
  reply: Response,
): Promise<Response> {
  if (reply.status >= 500) {
    return refuse(reply.status === 501 ? 501 : 502, "browser_unreachable", await errorOf(reply));
  }
  const text = await reply.text();
  if (!reply.ok || path === "/json/protocol" || OF_A_PAGE.test(path)) {
    return new Response(text, {
      status: reply.status,
      headers: { "Content-Type": "application/json; charset=UTF-8", "Cache-Control": "no-store" },
    });
  }
  const parsed = z.union([z.array(addressed), addressed]).parse(JSON.parse(text));
  const rewritten = Array.isArray(parsed)
    ? parsed.map((each) => rewrite(each, call.root, sessionId))
    : rewrite(parsed, call.root, sessionId);
  return jsonReply(200, rewritten);
}

/** The address by which this client can reach it; the one of a foreign page to debug it in is left out. */
function rewrite(
  { devtoolsFrontendUrl: _foreign, ...described }: z.infer<typeof addressed>,
  root: string,
  sessionId: string,
): object {
  const { id, webSocketDebuggerUrl } = described;
  if (id !== undefined && webSocketDebuggerUrl === undefined) return described;
  const socket = id === undefined ? `/devtools/browser/${sessionId}` : `/devtools/page/${id}`;
  return { ...described, webSocketDebuggerUrl: `${root}${socket}` };
}

async function openSocket(
  call: CdpCall,
  service: BrowserService | undefined,
  path: string,
): Promise<Response> {
  const [, sessionId] = BROWSER_SOCKET.exec(path) ?? [];
  const [, targetId] = PAGE_SOCKET.exec(path) ?? [];
  if (path !== "" && sessionId === undefined && targetId === undefined) {
    return refuse(404, "not_found", "DevTools has no such address.");
  }
  const owner = targetId === undefined ? sessionId : await ownerOf(call, service, targetId);
  if (targetId !== undefined && service !== undefined && owner === undefined) {
    return noSuchPage();
  }
  const asked = new URL(call.request.url);
  const wanted = owner === undefined ? wantedSession(asked, path) : { id: owner };
  if (wanted === undefined) return badSession();
  return inSession(call, service, wanted, async (open, opened) => {
    const reply = await open.connect(opened, targetId);
    if (reply.status === 101) return reply;
    // Chromium answers 500 for a page that is gone by now.
    if (targetId !== undefined && [404, 500].includes(reply.status)) return noSuchPage();
    if (reply.status === 404) return "gone";
    return refuse(502, "browser_unreachable", `The browser service answered ${reply.status}.`);
  });
}

/** The session that a page is in: its id alone does not say. */
async function ownerOf(
  { browser, caller }: CdpCall,
  service: BrowserService | undefined,
  targetId: string,
): Promise<string | undefined> {
  const sessions = await inTime(browser.sessionsOf(caller));
  for (const sessionId of sessions) {
    const targets = (await service?.targets(sessionId).catch(() => [])) ?? [];
    if (targets.some(({ id }) => id === targetId)) return sessionId;
  }
  return undefined;
}

function inTime<T>(work: Promise<T>): Promise<T> {
  return within("the browser room", ROOM_DEADLINE_MS, work);
}

function noSuchPage(): Response {
  return refuse(404, "no_such_page", "There is no such page any more.");
}

function badSession(): Response {
  return refuse(400, "malformed_session", `${SESSION_PARAM} is new, or the id of a session.`);
}

function refuseOpened(opened: Opened): Response {
  if (opened.ok) return refuse(503, "browser_off", "Browsing is off.");
  const { reason, message, retryAfter } = opened;
  const headers: Record<string, string> =
    retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) };
  return refuse(STATUS[reason], `browser_${reason}`, message, headers);
}

function refuse(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return jsonReply(status, { error: { code, message } }, headers);
}
