import type { LogLine } from "../../../protocol/control.ts";

export type Level = LogLine["level"];

const RANK: Record<Level, number> = { debug: 0, info: 1, warn: 2, error: 3 };
/** Kept on the page; the oldest go first. */
const MAX_LINES = 5000;

export function matches(line: LogLine, least: Level, search: string): boolean {
  return (
    RANK[line.level] >= RANK[least] && line.text.toLowerCase().includes(search.trim().toLowerCase())
  );
}

/**
 * A new sandbox counts its lines from the beginning: a number that is not higher than the last one
 * starts the list anew, unless the line is one that is there already.
 */
export function joined(before: readonly LogLine[], more: readonly LogLine[]): LogLine[] {
  const [first] = more;
  const last = before.at(-1);
  if (first === undefined) return [...before];
  if (last === undefined || first.n > last.n) return [...before, ...more].slice(-MAX_LINES);
  const known = before.find(({ n }) => n === first.n);
  const again = known !== undefined && known.at === first.at && known.text === first.text;
  const kept = again ? before.filter(({ n }) => n < first.n) : [];
  return [...kept, ...more].slice(-MAX_LINES);
}
