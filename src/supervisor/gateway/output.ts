import type { Readable } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import type { LogLine } from "../../protocol/control.ts";

const MAX_LINE_CHARS = 16_384;

/** Calls `onLine` for each line of a program's output; a line without end is cut, never kept whole. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) emit(part);
    if (rest.length > MAX_LINE_CHARS) {
      emit(rest);
      rest = "";
    }
  });
  stream.on("end", () => {
    if (rest !== "") emit(rest);
    rest = "";
  });
  stream.on("error", () => undefined);

  function emit(line: string) {
    const clean = stripVTControlCharacters(line).trimEnd();
    if (clean !== "") onLine(clean);
  }
}

/** The gateway prints no level in its plain format: what the line says and where it went decides. */
export function levelOf(line: string, stream: "stdout" | "stderr"): LogLine["level"] {
  if (/\b(?:fatal|error|uncaught|failed to)\b/i.test(line) && stream === "stderr") return "error";
  if (/\b(?:warn|warning)\b/i.test(line) || stream === "stderr") return "warn";
  if (/\bdebug\b/i.test(line)) return "debug";
  return "info";
}
