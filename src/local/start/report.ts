/** What `npm start` tells: events as data, shown as lines of text or as JSON. */
import { styleText } from "node:util";
import * as z from "zod";

export type StartEvent =
  | { event: "step"; text: string }
  | { event: "note"; text: string }
  | { event: "warning"; text: string }
  | { event: "error"; text: string }
  | {
      event: "listening";
      url: string;
      port: number;
      controlUi: string;
      admin: string;
      adminUrl: string;
    }
  | { event: "status"; name: string; text: string }
  | { event: "phase"; phase: string; text: string; startGeneration: number }
  | { event: "log"; level: string; text: string }
  | { event: "stopped" };

export type Report = (event: StartEvent) => void;

interface Sink {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
}

const TROUBLE: ReadonlySet<string> = new Set(["warn", "error"]);

const logged = z.object({ level: z.string() });

/** How workerd marks what it notes about itself and nobody has to look into. */
const NOBODY = "NOSENTRY ";

/** A structured line names its own level; what wrote it to standard output says nothing of it. */
export function logEvent(level: string, text: string): StartEvent {
  if (text.startsWith("{")) {
    try {
      const own = logged.safeParse(JSON.parse(text));
      if (own.success) return { event: "log", level: own.data.level, text };
    } catch {
      // Not JSON after all: the given level stands.
    }
  }
  return { event: "log", level: text.startsWith(NOBODY) ? "debug" : level, text };
}

export function reportTo(out: Sink, err: Sink, json: boolean): Report {
  if (json) return (event) => void out.write(`${JSON.stringify(event)}\n`);
  return (event) => {
    // What the parts log in good times is for `--json`; a person is told of trouble only.
    if (event.event === "log" && !TROUBLE.has(event.level)) return;
    const problem = event.event === "error" || event.event === "warning" || event.event === "log";
    const sink = problem ? err : out;
    sink.write(`${asText(event, sink.isTTY === true)}\n`);
  };
}

export function asText(event: StartEvent, colours: boolean): string {
  const paint = (format: Parameters<typeof styleText>[0], text: string) =>
    colours ? styleText(format, text, { validateStream: false }) : text;
  switch (event.event) {
    case "step":
      return paint("dim", `… ${event.text}`);
    case "note":
      return `  ${event.text}`;
    case "warning":
      return paint(["red", "bold"], `! ${event.text}`);
    case "error":
      return paint("red", `moltworker: ${event.text}`);
    case "listening":
      return [
        "",
        `  ${paint("bold", "Control UI")}   ${paint("cyan", event.controlUi)}`,
        `  ${paint("bold", "Admin")}        ${paint("cyan", event.admin)}  (one time, this machine only)`,
        "",
      ].join("\n");
    case "status":
      return `  ${event.name.padEnd(12)} ${event.text}`;
    case "phase":
      return event.phase === "failed" ? paint("red", `● ${event.text}`) : `● ${event.text}`;
    case "log":
      return paint("dim", `[${event.level}] ${event.text}`);
    case "stopped":
      return "stopped";
  }
}
