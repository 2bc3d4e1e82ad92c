/** The person's settings: the environment first, then `.dev.vars`. Only known names are taken. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { SETTINGS } from "../../worker/config/settings.ts";
import { parseDevVars } from "./dev-vars.ts";

export type Settings =
  | { ok: true; values: Record<string, string>; notes: string[] }
  | { ok: false; reason: string };

export async function readSettings(
  root: string,
  env: Record<string, string | undefined>,
): Promise<Settings> {
  const file = path.join(root, ".dev.vars");
  const text = await readOptional(file);
  if (text === undefined) return { ok: false, reason: `${file} cannot be read` };
  const parsed = parseDevVars(text);
  if (!parsed.ok) {
    const lines = parsed.problems.map(({ line, problem }) => `  line ${line} ${problem}`);
    return { ok: false, reason: `.dev.vars is malformed:\n${lines.join("\n")}` };
  }
  return { ok: true, ...merge(env, parsed.values) };
}

/** Blank counts as unset, so that `NAME=` in the environment hides nothing. */
export function merge(
  env: Record<string, string | undefined>,
  file: ReadonlyMap<string, string>,
): { values: Record<string, string>; notes: string[] } {
  const known = new Set(SETTINGS.map((setting) => setting.name));
  const values: Record<string, string> = {};
  for (const name of known) {
    const value = env[name]?.trim() || file.get(name)?.trim();
    if (value) values[name] = value;
  }
  const unknown = [...file.keys()].filter((name) => !known.has(name));
  return { values, notes: unknown.map((name) => `${name} in .dev.vars is no setting of this`) };
}

async function readOptional(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    return missing ? "" : undefined;
  }
}
