/**
 * The Control UI from the Worker's own assets: there before the sandbox is, and not the agent's to
 * change. Only the exact files named in `pages.ts` can be reached.
 */
import * as z from "zod";
import { DeadlineError, within } from "../deadline.ts";
import { errorReply, jsonReply, ownHeaders } from "../replies.ts";

const ASSETS_DEADLINE_MS = 10_000;
const SHELL = "/_control-ui/index.html";
const META = "/_control-ui/meta.json";
const HASHED = /^\/assets\/[^/]+-[A-Za-z0-9_-]{8}\.[a-z0-9.]+$/;

/** What the build says about the document: the hashes of its inline scripts, as CSP names them. */
const meta = z.object({
  scriptHashes: z.array(z.string().regex(/^sha(256|384|512)-[A-Za-z0-9+/=]+$/)),
});
const policies = new WeakMap<Fetcher, Promise<string[] | undefined>>();

export async function controlUiPage(
  request: Request,
  assets: Fetcher,
  origin: string,
): Promise<Response> {
  const [page, hashes] = await Promise.all([
    ask(assets, new Request(new URL(SHELL, request.url), { method: request.method })),
    scriptHashes(assets, request.url),
  ]);
  if (page?.status !== 200 || hashes === undefined) {
    return errorReply(request, {
      status: 503,
      code: "control_ui_missing",
      message: "The Control UI's files are missing from this deployment. Build the project again.",
    });
  }
  const socket = origin.replace(/^http/, "ws");
  const policy = [
    "default-src 'none'",
    `script-src 'self' ${hashes.map((hash) => `'${hash}'`).join(" ")}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "media-src 'self' data: blob:",
    "font-src 'self' data:",
    `connect-src 'self' data: ${socket}`,
    "worker-src 'self' blob:",
    "frame-src 'self' blob:",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "object-src 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  return new Response(page.body, {
    headers: ownHeaders({
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": policy,
    }),
  });
}

/** A static file of the package. Nothing of the request but its conditions reaches the assets. */
export async function staticFile(
  request: Request,
  path: string,
  assets: Fetcher,
): Promise<Response> {
  const headers = new Headers();
  for (const name of ["accept-encoding", "if-none-match", "range"]) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const file = await ask(
    assets,
    new Request(new URL(path, request.url), {
      method: request.method,
      headers,
      redirect: "manual",
    }),
  );
  if (file === undefined || ![200, 206, 304].includes(file.status)) {
    return jsonReply(404, { error: { code: "not_found", message: "There is no such file." } });
  }
  const reply = new Response(file.body, file);
  reply.headers.set("X-Content-Type-Options", "nosniff");
  reply.headers.set("Cross-Origin-Resource-Policy", "same-origin");
  reply.headers.set(
    "Cache-Control",
    HASHED.test(path)
      ? "public, max-age=31536000, immutable"
      : "public, max-age=300, must-revalidate",
  );
  return reply;
}

/** Read once an isolate; a failed read is tried again. */
async function scriptHashes(assets: Fetcher, base: string): Promise<string[] | undefined> {
  let reading = policies.get(assets);
  if (reading === undefined) {
    reading = readMeta(assets, base);
    policies.set(assets, reading);
  }
  const hashes = await reading;
  if (hashes === undefined) policies.delete(assets);
  return hashes;
}

async function readMeta(assets: Fetcher, base: string): Promise<string[] | undefined> {
  const reply = await ask(assets, new Request(new URL(META, base)));
  if (reply?.status !== 200) return undefined;
  const parsed = meta.safeParse(await reply.json().catch(() => undefined));
  return parsed.success ? parsed.data.scriptHashes : undefined;
}

async function ask(assets: Fetcher, request: Request): Promise<Response | undefined> {
  try {
    return await within("the static assets", ASSETS_DEADLINE_MS, assets.fetch(request));
  } catch (error) {
    if (error instanceof DeadlineError) return undefined;
    throw error;
  }
}
