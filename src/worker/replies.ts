import { html, raw } from "hono/html";

/** Text and JSON that the Worker itself answers with, never the sandbox. */
export interface ErrorReply {
  status: number;
  /** Stable, for programs. */
  code: string;
  message: string;
  headers?: Record<string, string>;
  details?: Record<string, unknown>;
}

const EVERYWHERE = {
  // Browsers heed it over https alone.
  "Strict-Transport-Security": "max-age=31536000",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
};

export function ownHeaders(more: Record<string, string> = {}): Headers {
  return new Headers({ ...EVERYWHERE, "Cache-Control": "no-store", ...more });
}

export function jsonReply(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: ownHeaders({ "Content-Type": "application/json; charset=utf-8", ...headers }),
  });
}

/** A top-level page load, as far as the request tells. */
export function isDocument(request: Request): boolean {
  const dest = request.headers.get("sec-fetch-dest");
  if (dest !== null) return dest === "document";
  return (request.headers.get("accept") ?? "").includes("text/html");
}

/** A page for a browser's navigation, JSON for everything else. */
export async function errorReply(request: Request, error: ErrorReply): Promise<Response> {
  const headers = error.headers ?? {};
  if (!isDocument(request)) {
    return jsonReply(
      error.status,
      { error: { code: error.code, message: error.message, ...error.details } },
      headers,
    );
  }
  return pageReply(
    request,
    error.status,
    String(error.status),
    html`<p role="alert">${error.message}</p>`,
    headers,
  );
}

export function notFound(request: Request): Promise<Response> {
  return errorReply(request, {
    status: 404,
    code: "not_found",
    message: "There is nothing at this address.",
  });
}

export type Language = "en" | "zh";

/** English unless Chinese is asked for first. */
export function languageOf(request: Request): Language {
  return /^\s*zh\b/i.test(request.headers.get("accept-language") ?? "") ? "zh" : "en";
}

const STYLE = `:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;margin:0;min-height:100vh;display:grid;place-items:center}
main{width:min(32rem,calc(100vw - 2rem));padding:1rem;overflow-wrap:anywhere}
h1{font-size:1.25rem}input,button{font:inherit;padding:.6rem;box-sizing:border-box;width:100%;margin:.25rem 0}
[role=alert]{border-left:4px solid #c0392b;padding-left:.75rem}code{font-size:.95em}`;

export type Html = ReturnType<typeof html>;

/**
 * A small page of our own: nothing from elsewhere, never in a frame.
 *
 * @param script ours, and the only one that runs; most pages have none
 */
export async function pageReply(
  request: Request,
  status: number,
  title: string,
  body: Html,
  headers: Record<string, string> = {},
  script?: string,
): Promise<Response> {
  const nonce = crypto.randomUUID();
  const scripts = script === undefined ? "" : ` script-src 'nonce-${nonce}';`;
  const page = await html`<!doctype html>
    <html lang="${languageOf(request) === "zh" ? "zh-CN" : "en"}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · moltworker</title>
        <style nonce="${nonce}">
          ${raw(STYLE)}
        </style>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
        ${
          script === undefined
            ? ""
            : html`<script nonce="${nonce}">
                ${raw(script)};
              </script>`
        }
      </body>
    </html>`;
  return new Response(page.toString(), {
    status,
    headers: ownHeaders({
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": `default-src 'none'; style-src 'nonce-${nonce}';${scripts} form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
      ...headers,
    }),
  });
}
