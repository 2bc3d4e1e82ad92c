/**
 * The admin page's files, from the Worker's own assets. The caller has verified the admin; nothing
 * of the request but its path reaches the assets, and of those only `_admin/`.
 */
import { DeadlineError, within } from "../deadline.ts";
import { errorReply, notFound, ownHeaders } from "../replies.ts";

const ASSETS_DEADLINE_MS = 10_000;
const FOLDER = "/_admin";
/** One segment: a room of the page, which the page itself finds in its address. */
const ROOM = /^\/_admin\/[a-z-]{0,40}$/;
const FILE = /^\/_admin\/assets\/[\w-]+(?:\.[\w-]+)?\.(js|css|woff2|svg)$/;

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

export async function adminPage(request: Request, url: URL, assets: Fetcher): Promise<Response> {
  if (url.pathname === FOLDER) {
    return new Response(null, { status: 302, headers: ownHeaders({ Location: `${FOLDER}/` }) });
  }
  const isRoom = ROOM.test(url.pathname);
  if (!isRoom && !FILE.test(url.pathname)) return notFound(request);
  const file = await read(assets, new URL(isRoom ? `${FOLDER}/index.html` : url.pathname, url));
  if (file?.status !== 200) {
    return isRoom
      ? errorReply(request, {
          status: 503,
          code: "admin_page_missing",
          message:
            "The admin page's files are missing from this deployment. Build the project again.",
        })
      : notFound(request);
  }
  const type = file.headers.get("content-type") ?? "application/octet-stream";
  return new Response(file.body, {
    headers: isRoom
      ? ownHeaders({
          "Content-Type": "text/html; charset=utf-8",
          "Content-Security-Policy": POLICY,
        })
      : // The name changes with the content. Private: only an admin may have it.
        ownHeaders({
          "Content-Type": type,
          "Cache-Control": "private, max-age=31536000, immutable",
        }),
  });
}

async function read(assets: Fetcher, address: URL): Promise<Response | undefined> {
  try {
    return await within(
      "the static assets",
      ASSETS_DEADLINE_MS,
      assets.fetch(new Request(address)),
    );
  } catch (error) {
    if (error instanceof DeadlineError) return undefined;
    throw error;
  }
}
