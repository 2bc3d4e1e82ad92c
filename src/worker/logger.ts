/**
 * The one logger: JSON lines in which no known secret and no query string survives.
 *
 * Fields are plain data. Text that holds a secret, whole or inside something longer, has it
 * replaced; addresses lose their query and fragment.
 */
import { redactor } from "./redaction.ts";

export type LogFields = Record<string, string | number | boolean | null | undefined>;

export interface Logger {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

const MAX_TEXT = 4000;

export function createLogger(
  secrets: readonly string[],
  write: (line: string) => void = writeLine,
  now: () => number = Date.now,
): Logger {
  const redact = redactor(secrets);

  function clean(text: string): string {
    let result = text.replace(/\b((?:https?|wss?):\/\/[^\s"'<>?#]*)[?#][^\s"'<>]*/gi, "$1");
    result = result.replace(/([?&#](?:token|code|secret|key)=)[^&\s"']+/gi, "$1[redacted]");
    result = redact(result);
    return result.length > MAX_TEXT ? `${result.slice(0, MAX_TEXT)}…` : result;
  }

  function log(level: string, event: string, fields: LogFields = {}): void {
    const shown = Object.entries(fields).map(([key, value]) => [
      key,
      typeof value === "string" ? clean(value) : value,
    ]);
    write(JSON.stringify({ at: now(), level, event: clean(event), ...Object.fromEntries(shown) }));
  }

  return {
    info: (event, fields) => log("info", event, fields),
    warn: (event, fields) => log("warn", event, fields),
    error: (event, fields) => log("error", event, fields),
  };
}

function writeLine(line: string): void {
  // oxlint-disable-next-line no-console -- the runtime collects logs from the console
  console.log(line);
}
