/** `npm start --json` with the byte-moving program where the gateway's package would be. */
import { chmod, cp, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { PROJECT_ROOT, buildPaths } from "../../src/build/paths.ts";
import { parseStartOptions } from "../../src/local/start/options.ts";
import { reportTo } from "../../src/local/start/report.ts";
import { start } from "../../src/local/start/start.ts";

const parsed = parseStartOptions(process.argv.slice(2));
if (parsed.kind !== "start") throw new Error("these are no start options");
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => stop.abort());

const paths = buildPaths(PROJECT_ROOT);
const modules = await mkdtemp(path.join(os.tmpdir(), "bench-modules-"));
// The sandbox's user is another one.
await chmod(modules, 0o755);
const files = [
  [path.join(import.meta.dirname, "gateway.mjs"), path.join("openclaw", "openclaw.mjs")],
  [path.join(paths.openclaw, "package.json"), path.join("openclaw", "package.json")],
  [path.join(PROJECT_ROOT, "node_modules", "ws"), "ws"],
] as const;
for (const [source, target] of files) {
  await cp(source, path.join(modules, target), { recursive: true });
}

const report = reportTo(process.stdout, process.stderr, true);
const ended = await start(parsed.options, report, stop.signal, {
  ...paths,
  containerModules: modules,
});
if (!ended.ok) report({ event: "error", text: ended.reason });
await rm(modules, { recursive: true, force: true });
process.exit(ended.ok ? 0 : 1);
