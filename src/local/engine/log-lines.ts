import type { Readable } from "node:stream";

/** A program that never ends its line cannot make the engine hold more than this. */
const LONGEST_LINE = 64 * 1024;

/** Calls `line` for each line of a stream, and for an unfinished last one. */
export function eachLine(stream: Readable, line: (text: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) line(part);
    if (rest.length > LONGEST_LINE) {
      line(rest);
      rest = "";
    }
  });
  stream.on("end", () => {
    if (rest !== "") line(rest);
  });
  // Reading a pipe whose writer was killed may fail; the exit says what happened.
  stream.on("error", () => {});
}
