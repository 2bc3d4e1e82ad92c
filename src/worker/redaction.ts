/** Takes the secrets that this Worker holds out of text, whole or inside something longer. */
const PLACEHOLDER = "[redacted]";
/** Shorter ones would eat ordinary words; every secret that guards anything is longer. */
const SHORTEST_SECRET = 8;

export type Redact = (text: string) => string;

export function redactor(secrets: readonly string[]): Redact {
  const hidden = secrets
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .toSorted((a, b) => b.length - a.length);
  return (text) => hidden.reduce((clean, secret) => clean.replaceAll(secret, PLACEHOLDER), text);
}

/** What looks like somebody's credential; each keeps its first group, which names it. */
const SHAPES: readonly RegExp[] = [
  /(\bBearer\s+)[A-Za-z0-9._~+/=-]{8,}/gi,
  /(\b(?:access_|gateway_|bot_)?(?:token|secret|password|api[_-]?key)["']?\s*[=:]\s*["']?)[^\s"'&,;]{8,}/gi,
  /(\b)sk-[A-Za-z0-9_-]{16,}/g,
  /(\b)xox[abeoprs]-[A-Za-z0-9-]{10,}/g,
  /(\b)\d{6,12}:[A-Za-z0-9_-]{30,}/g,
  /(\b)gh[oprsu]_[A-Za-z0-9]{30,}/g,
  /(\b)AGE-SECRET-KEY-1[A-Z0-9]{20,}/g,
];

export function withoutCredentials(text: string): string {
  return SHAPES.reduce((clean, shape) => clean.replace(shape, `$1${PLACEHOLDER}`), text);
}
