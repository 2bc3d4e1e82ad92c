/**
 * The text of `.dev.vars`: `NAME=value` lines, `#` comments, values bare, in single quotes (taken as
 * they are) or in double quotes (`\n`, `\"` and `\\` are read). Pure.
 */
export interface DevVarsProblem {
  line: number;
  problem: string;
}

export type DevVars =
  | { ok: true; values: Map<string, string> }
  | { ok: false; problems: DevVarsProblem[] };

export function parseDevVars(text: string): DevVars {
  const values = new Map<string, string>();
  const problems: DevVarsProblem[] = [];
  for (const [index, raw] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const parsed = parseLine(line);
    if ("problem" in parsed) problems.push({ line: index + 1, problem: parsed.problem });
    else values.set(parsed.name, parsed.value);
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, values };
}

type Line = { name: string; value: string } | { problem: string };

function parseLine(line: string): Line {
  const match = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/.exec(line);
  // A line that is no assignment may be a secret that lost its name: its text is never shown.
  if (match === null) return { problem: "is not NAME=value" };
  const [, name = "", rest = ""] = match;
  const quote = rest[0];
  if (quote !== '"' && quote !== "'") {
    return { name, value: rest.replace(/\s+#.*$/, "").trim() };
  }
  const closed =
    quote === '"'
      ? /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/.exec(rest)
      : /^'([^']*)'\s*(?:#.*)?$/.exec(rest);
  if (closed === null) return { problem: `${name} has no closing quote, or text after it` };
  const inner = closed[1] ?? "";
  return { name, value: quote === "'" ? inner : inner.replace(/\\(.)/g, unescape) };
}

function unescape(_whole: string, character: string): string {
  return character === "n" ? "\n" : character;
}
