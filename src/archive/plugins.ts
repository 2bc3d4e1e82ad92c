/** Plugins that an install elsewhere has: each has to be set up again here. Pure. */
import * as z from "zod";
import type { Relink } from "../protocol/import.ts";

const MOST_NAME = 100;

const config = z.object({
  plugins: z.object({
    entries: z.record(z.string(), z.object({ enabled: z.boolean().optional() })),
  }),
});
const project = z.object({ dependencies: z.record(z.string(), z.unknown()) });

/** Those that a config switches on, of one that is JSON. */
export function pluginsInConfig(text: string): Relink[] {
  const parsed = config.safeParse(json(text));
  return Object.entries(parsed.data?.plugins.entries ?? {})
    .filter(([, { enabled }]) => enabled !== false)
    .map(([name]) => ({ what: "plugin", name: name.slice(0, MOST_NAME) }));
}

/** Packages that a project's `package.json` asks for. */
export function dependenciesIn(text: string): string[] {
  const parsed = project.safeParse(json(text));
  return Object.keys(parsed.data?.dependencies ?? {}).map((name) => name.slice(0, MOST_NAME));
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
