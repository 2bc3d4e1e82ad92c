export interface Pattern {
  text: string;
  wildcard: boolean;
  port?: string;
}

/** `EGRESS_ALLOW` as it was written, entry by entry; the Worker has refused what is none. */
export function patternsIn(setting: string | undefined): Pattern[] {
  const entries = (setting ?? "").split(/[\s,]+/).filter((entry) => entry !== "");
  return entries.map(patternOf);
}

function patternOf(text: string): Pattern {
  const [, port] = /:(\d+)$/.exec(text) ?? [];
  return { text, wildcard: text.startsWith("*."), ...(port === undefined ? {} : { port }) };
}

/** The line that allows one host more. */
export function lineWith(setting: string | undefined, host: string): string {
  const entries = patternsIn(setting).map(({ text }) => text);
  return `EGRESS_ALLOW=${[...new Set([...entries, host])].join(",")}`;
}
