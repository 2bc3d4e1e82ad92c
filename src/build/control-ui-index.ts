/**
 * The Control UI's entry page, rewritten exactly as the gateway does when it serves it at `/`, plus
 * our one script before all others. Pure; a test compares the result with the real gateway's.
 */
import { createHash } from "node:crypto";

/** Runs first: fetches what the page must sign its connection with. The Worker serves it. */
export const BOOTSTRAP_SCRIPT = `<script src="/_moltworker/bootstrap.js"></script>`;

/** Files whose address carries the build id, so that browsers drop icons of another release. */
const VERSIONED = /^(favicon\.svg|favicon-32\.png|apple-touch-icon\.png|manifest\.webmanifest)$/;

export type RewrittenIndex = { ok: true; html: string } | { ok: false; reason: string };

export function asServedAtRoot(html: string): RewrittenIndex {
  const buildId = /<html[^>]* data-openclaw-control-ui-build-id="([^"]+)"/.exec(html)?.[1];
  if (buildId === undefined) return { ok: false, reason: "the page names no build id" };
  const marked = html.replace(
    "<html ",
    `<html data-openclaw-control-ui-base-path="" data-openclaw-terminal-enabled="true" `,
  );
  return {
    ok: true,
    html: marked.replace(/(href|src)="\.\/([^"]+)"/g, (_, attribute: string, file: string) => {
      const version = VERSIONED.test(file) ? `?v=${buildId}` : "";
      return `${attribute}="/${file}${version}"`;
    }),
  };
}

export function withBootstrap(html: string): RewrittenIndex {
  const first = html.indexOf("<script");
  if (first === -1) return { ok: false, reason: "the page holds no script to go before" };
  return {
    ok: true,
    html: `${html.slice(0, first)}${BOOTSTRAP_SCRIPT}\n    ${html.slice(first)}`,
  };
}

/** CSP sources of the page's inline scripts: `sha256-` and the base64 of their text (CSP3, 2.3.1). */
export function inlineScriptHashes(html: string): string[] {
  const hashes: string[] = [];
  for (const match of html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)) {
    const digest = createHash("sha256")
      .update(match[1] ?? "")
      .digest("base64");
    hashes.push(`sha256-${digest}`);
  }
  return hashes;
}
