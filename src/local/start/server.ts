/** The process of `npm start` that holds everything; the launcher starts it and passes signals on. */
import { EXIT } from "../../cli/exit.ts";
import { parseStartOptions } from "./options.ts";
import { reportTo } from "./report.ts";
import { start } from "./start.ts";

const parsed = parseStartOptions(process.argv.slice(2));
if (parsed.kind !== "start") process.exit(EXIT.usage);

const report = reportTo(process.stdout, process.stderr, parsed.options.json);
const stop = new AbortController();
process.on("SIGTERM", () => stop.abort());
process.on("SIGINT", () => stop.abort());
process.on("SIGHUP", () => stop.abort());
// The launcher is gone, and with it whoever could ask for a stop.
process.on("disconnect", () => stop.abort());
// A closed terminal or pipe must not keep the clean end from happening.
process.stdout.on("error", () => stop.abort());
process.stderr.on("error", () => {});

let code: number = EXIT.ok;
try {
  const ended = await start(parsed.options, report, stop.signal);
  if (!ended.ok) {
    report({ event: "error", text: ended.reason });
    code = EXIT.failed;
  }
} catch (error) {
  report({ event: "error", text: error instanceof Error ? (error.stack ?? error.message) : "?" });
  code = EXIT.failed;
}
process.exit(code);
