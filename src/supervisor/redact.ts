/**
 * Takes secrets out of text before it is kept or sent. Fails towards too much: a string that merely
 * looks like a credential goes as well.
 */
export interface Redactor {
  /** A value that is replaced wherever it appears. */
  learn(secret: string): void;
  redact(text: string): string;
}

const PLACEHOLDER = "[redacted]";

/** Each keeps its first group (what names the secret) and drops the rest. */
const SHAPES: readonly RegExp[] = [
  /(\bBearer\s+)[A-Za-z0-9._~+/=-]{8,}/gi,
  /(\b[?&#]?(?:access_|gateway_|bot_)?(?:token|secret|password|api[_-]?key)["']?\s*[=:]\s*["']?)[^\s"'&,;]{8,}/gi,
  /(\b)sk-[A-Za-z0-9_-]{16,}/g,
  /(\b)xox[abeoprs]-[A-Za-z0-9-]{10,}/g,
  /(\b)xapp-[A-Za-z0-9-]{10,}/g,
  /(\b)AIza[A-Za-z0-9_-]{30,}/g,
  /(\b)AGE-SECRET-KEY-1[A-Z0-9]{40,}/g,
  // Three parts of base64url: a JSON Web Token, or the token of a Discord bot.
  /(\b)[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{25,}/g,
  /(\b)\d{6,12}:[A-Za-z0-9_-]{30,}/g,
  /(\b)gh[oprsu]_[A-Za-z0-9]{30,}/g,
];

export function createRedactor(): Redactor {
  const known = new Set<string>();
  return {
    learn(secret) {
      if (secret.length > 0) known.add(secret);
    },
    redact(text) {
      let clean = text;
      for (const secret of known) clean = clean.replaceAll(secret, PLACEHOLDER);
      for (const shape of SHAPES) clean = clean.replace(shape, `$1${PLACEHOLDER}`);
      return clean;
    },
  };
}
