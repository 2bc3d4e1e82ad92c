/**
 * Secrets in somebody's state folder, by name and in a config's text. Pure. What is recognised is
 * never taken into the sandbox and never shown, only named.
 */
import type { Relink, SecretKind } from "../protocol/import.ts";

export type { SecretKind };

const NAMES: readonly { pattern: RegExp; kind: SecretKind }[] = [
  { pattern: /(^|\/)\.env(\.[^/]+)?$/, kind: "environment" },
  { pattern: /^credentials(\/|$)/, kind: "credentials" },
  { pattern: /^agents\/[^/]+\/agent\/(auth|models)[^/]*\.json$/, kind: "model-login" },
  { pattern: /^(identity|devices)\/[^/]+\.json$/, kind: "device" },
  {
    pattern: /(^|\/)(id_(rsa|ecdsa|ed25519)|\.netrc|\.npmrc|\.git-credentials|[^/]+\.pem)$/,
    kind: "private-key",
  },
];

/** `path` is below the state folder. */
export function secretKind(path: string): SecretKind | undefined {
  return NAMES.find(({ pattern }) => pattern.test(path))?.kind;
}

const SECRET_KEY = /(token|secret|api_?key|password|passphrase|private_?key)$/i;
const MOST = 50;

/** Names of the settings in a config that hold a secret: with their place where the text is JSON. */
export function secretsInConfig(text: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // JSON5, as people write it: names without their place.
    const keys = [...text.matchAll(/["']?([A-Za-z_]\w*)["']?\s*:\s*["'][^"'$][^"']*["']/g)];
    return [...new Set(keys.map(([, key = ""]) => key).filter((key) => SECRET_KEY.test(key)))]
      .sort()
      .slice(0, MOST);
  }
  const found: string[] = [];
  visit(value, "", (path, leaf) => {
    const key = path.slice(path.lastIndexOf(".") + 1);
    const secret = typeof leaf === "string" && leaf !== "" && !/^\$\{\w+\}$/.test(leaf);
    if (secret && SECRET_KEY.test(key)) found.push(path);
  });
  return found.slice(0, MOST);
}

/** Chat platforms that a config sets up: each has to be linked again. */
export function channelsInConfig(text: string): Relink[] {
  const known = ["telegram", "discord", "slack", "whatsapp", "signal", "imessage", "matrix"];
  const body = text.slice(Math.max(0, text.search(/["']?channels["']?\s*:/)));
  if (!/["']?channels["']?\s*:/.test(text)) return [];
  return known
    .filter((name) => new RegExp(`["']?${name}["']?\\s*:\\s*\\{`).test(body))
    .map((name) => ({ what: "channel", name }));
}

function visit(value: unknown, path: string, leaf: (path: string, value: unknown) => void): void {
  if (typeof value !== "object" || value === null) return leaf(path, value);
  for (const [key, child] of Object.entries(value)) {
    visit(child, path === "" ? key : `${path}.${key}`, leaf);
  }
}
