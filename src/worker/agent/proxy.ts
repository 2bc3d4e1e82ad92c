import { messageOf } from "./budget.ts";
import type { PortFetch } from "./control.ts";
import { judgeRequest, requestHeaders, responseHeaders, upgradeHeaders } from "./hostile.ts";
import { refusal } from "./refusals.ts";

export type Proxied = { ok: true; response: Response } | { ok: false; reason: string };

/** The refusal of what a browser would run as this origin's; asked before anything is woken. */
export function refuseRunning(request: Request): Response | undefined {
  const verdict = judgeRequest(request.headers);
  if (verdict.ok) return undefined;
  return refusal(403, verdict.reason, "Scripts and workers are not served from the sandbox.");
}

/** A top-level page load, which a person watches; everything else is a program that can wait. */
export function isNavigation(request: Request): boolean {
  return (
    request.method === "GET" &&
    request.headers.get("upgrade") === null &&
    (request.headers.get("accept") ?? "").includes("text/html")
  );
}

/**
 * One request to the front port and its answer, both cleaned at the border (see `hostile.ts`). Not
 * ok when the sandbox could not be reached at all.
 *
 * No deadline here: a stream or a socket lives as long as both ends want it to.
 */
export async function proxy(request: Request, front: PortFetch): Promise<Proxied> {
  const url = new URL(request.url);
  let response: Response;
  try {
    response = await front(
      new Request(`http://sandbox${url.pathname}${url.search}`, {
        method: request.method,
        headers: requestHeaders(request.headers),
        body: request.body,
        redirect: "manual",
      }),
    );
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
  return { ok: true, response: clean(response, request.url) };
}

function clean(response: Response, requestUrl: string): Response {
  if (response.webSocket !== null) {
    const headers = upgradeHeaders(response.headers);
    if (headers === undefined) return response;
    return new Response(null, { status: response.status, headers, webSocket: response.webSocket });
  }
  const verdict = responseHeaders(response.status, response.headers, requestUrl);
  if (!verdict.ok) {
    void response.body?.cancel();
    return refusal(
      502,
      verdict.reason,
      "The sandbox answered with a redirect that is not allowed.",
    );
  }
  const { status } = response;
  // RFC 9110, section 15: these have no body, and the platform refuses to build one.
  const body = status === 204 || status === 205 || status === 304 ? null : response.body;
  return new Response(body, { status, headers: verdict.headers });
}
