/** Turns a sandbox's paths into host paths, for programs that run without a sandbox. */
import { basename, dirname } from "node:path";
import type { Bind } from "../image.ts";

function within(target: string, path: string): boolean {
  return path === target || path.startsWith(`${target}/`);
}

/** A folder that only exists as the parent of a bound file, such as one in `PATH`. */
function parentOf(binds: Bind[], path: string): string | undefined {
  const bound = binds.find(
    ({ source, target }) => dirname(target) === path && basename(source) === basename(target),
  );
  return bound === undefined ? undefined : dirname(bound.source);
}

/** The host path of `path`, or `path` itself where no bind covers it. The deepest bind wins. */
export function hostPath(binds: Bind[], path: string): string {
  const covering = binds
    .filter((bind) => within(bind.target, path))
    .toSorted((a, b) => b.target.length - a.target.length)[0];
  if (covering === undefined) return parentOf(binds, path) ?? path;
  return covering.source + path.slice(covering.target.length);
}

/** Rewrites a word that is a path, a list of paths joined by colons, or `--option=path`. */
export function rewriteWord(binds: Bind[], word: string): string {
  const option = /^(--?[\w-]+=)(\/.*)$/.exec(word);
  const [prefix, value] = option === null ? ["", word] : [option[1] ?? "", option[2] ?? ""];
  if (!value.startsWith("/")) return word;
  return (
    prefix +
    value
      .split(":")
      .map((path) => hostPath(binds, path))
      .join(":")
  );
}
