/** `npm start --json` with the hostile program where the gateway's package would be. */
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
process.on("SIGINT", () => stop.abort());
process.on("SIGTERM", () => stop.abort());

const modules = await mkdtemp(path.join(os.tmpdir(), "hostile-modules-"));
// The sandbox reads it as another user.
await chmod(modules, 0o755);
await cp(
  path.join(import.meta.dirname, "hostile-gateway.mjs"),
  path.join(modules, "openclaw", "openclaw.mjs"),
);
await cp(path.join(PROJECT_ROOT, "node_modules", "ws"), path.join(modules, "ws"), {
  recursive: true,
});
await cp(
  path.join(PROJECT_ROOT, "container", "node_modules", "openclaw", "package.json"),
  path.join(modules, "openclaw", "package.json"),
);

const report = reportTo(process.stdout, process.stderr, true);
const paths = { ...buildPaths(PROJECT_ROOT), containerModules: modules };
const ended = await start(parsed.options, report, stop.signal, paths);
if (!ended.ok) report({ event: "error", text: ended.reason });
await rm(modules, { recursive: true, force: true });
process.exit(ended.ok ? 0 : 1);
