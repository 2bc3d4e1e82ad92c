/** The world outside of a Worker under test, where nothing is but what a test puts there. */
import { fetch as openUpgrade, type Request, Response } from "miniflare";

/**
 * @param world an origin that is there; everything else is refused
 * @param fetched what was asked for is noted there
 */
export function outsideOf(world: string, fetched: string[]) {
  return async (request: Request): Promise<Response> => {
    fetched.push(request.url);
    if (world === "" || new URL(request.url).origin !== world) {
      return new Response(null, { status: 502 });
    }
    const { method, headers, url } = request;
    if (headers.get("upgrade") === "websocket") {
      return openUpgrade(url, { headers: { upgrade: "websocket" } });
    }
    const answer = await fetch(url, {
      method,
      headers: [...headers].filter(([name]) => name !== "content-length" && name !== "host"),
      ...(method === "GET" ? {} : { body: await request.text() }),
    });
    return new Response(await answer.arrayBuffer(), { status: answer.status });
  };
}
