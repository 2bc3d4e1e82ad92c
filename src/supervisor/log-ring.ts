import type { LogLine } from "../protocol/control.ts";
import type { Redactor } from "./redact.ts";

type Source = LogLine["source"];
type Level = LogLine["level"];

/** The latest lines of the gateway and of the supervisor itself, bounded and redacted. */
export interface LogRing {
  add(source: Source, level: Level, text: string): void;
  /** Lines numbered above `after`, oldest first. */
  read(query: { source?: Source; after?: number; limit?: number }): LogLine[];
  /** The last lines of one source numbered above `after`, as one text. */
  tail(source: Source, range: { lines: number; after: number }): string;
  /** The number of the newest line. */
  last(): number;
}

export interface LogRingOptions {
  redactor: Redactor;
  now: () => number;
  maxLines?: number;
  maxChars?: number;
  /** Called with each line that was kept. */
  onLine?: (line: LogLine) => void;
}

const LINE_CHARS = 8_192;

export function createLogRing(options: LogRingOptions): LogRing {
  const maxLines = options.maxLines ?? 2_000;
  const maxChars = options.maxChars ?? 1_000_000;
  let lines: LogLine[] = [];
  let first = 0;
  let chars = 0;
  let next = 1;

  const drop = () => {
    while (lines.length - first > maxLines || (chars > maxChars && lines.length - first > 1)) {
      chars -= lines[first]?.text.length ?? 0;
      first += 1;
    }
    // Dropping from the front of an array moves the rest; do it seldom.
    if (first > maxLines) {
      lines = lines.slice(first);
      first = 0;
    }
  };

  return {
    add(source, level, text) {
      const clean = options.redactor.redact(text).slice(0, LINE_CHARS);
      const line: LogLine = { n: next, at: options.now(), source, level, text: clean };
      next += 1;
      chars += clean.length;
      lines.push(line);
      drop();
      options.onLine?.(line);
    },
    read({ source, after = 0, limit = maxLines }) {
      const found = lines
        .slice(first)
        .filter((line) => line.n > after && (source === undefined || line.source === source));
      return found.slice(0, limit);
    },
    tail(source, range) {
      const own = lines
        .slice(first)
        .filter((line) => line.source === source && line.n > range.after);
      return own
        .slice(-range.lines)
        .map((line) => line.text)
        .join("\n");
    },
    last: () => next - 1,
  };
}
