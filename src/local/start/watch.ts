/** `--watch`: what changed in the sources is built and loaded again while everything keeps running. */
import { watch } from "node:fs";
import path from "node:path";
import { buildBundles } from "../../build/bundles.ts";
import { PROJECT_ROOT, buildPaths } from "../../build/paths.ts";
import type { Report } from "./report.ts";
import type { Runtime } from "./runtime.ts";

/** Editors write a file in several steps, and several files at once. */
const SETTLE_MS = 200;
const RESTART_MS = 30_000;

export type Reload = { worker: boolean; supervisor: boolean; process: boolean };

/** Which running parts a changed file, relative to `src/`, belongs to. Pure. */
export function reloadFor(files: Iterable<string>): Reload {
  const reload: Reload = { worker: false, supervisor: false, process: false };
  for (const file of files) {
    if (!file.endsWith(".ts") || file.endsWith(".test.ts")) continue;
    const shared = file.startsWith(`protocol${path.sep}`);
    const local = file.startsWith(`local${path.sep}`);
    const inWorkerd =
      local && /^(worker\.ts|operator\.ts|admin-login[\\/])/.test(file.slice("local/".length));
    if (shared || inWorkerd || file.startsWith(`worker${path.sep}`)) reload.worker = true;
    if (shared || file.startsWith(`supervisor${path.sep}`)) reload.supervisor = true;
    if (local && !inWorkerd) reload.process = true;
  }
  return reload;
}

export function watchSources(runtime: Runtime, report: Report, stop: AbortSignal): void {
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let busy = Promise.resolve();
  const source = path.join(PROJECT_ROOT, "src");
  const watcher = watch(source, { recursive: true, signal: stop }, (_event, file) => {
    if (file === null) return;
    changed.add(file);
    clearTimeout(timer);
    timer = setTimeout(() => {
      const files = [...changed];
      changed.clear();
      busy = busy.then(() => apply(runtime, report, reloadFor(files)));
    }, SETTLE_MS);
  });
  watcher.on("error", (error) => {
    if (!stop.aborted) report({ event: "warning", text: `no longer watching: ${error.message}` });
  });
  stop.addEventListener("abort", () => clearTimeout(timer), { once: true });
}

async function apply(runtime: Runtime, report: Report, what: Reload): Promise<void> {
  if (what.process) report({ event: "note", text: "src/local changed: start again to use it" });
  if (!what.worker && !what.supervisor) return;
  const built = await buildBundles(buildPaths(PROJECT_ROOT));
  if (!built.ok) {
    report({ event: "warning", text: `the build failed, the old code runs on: ${built.reason}` });
    return;
  }
  try {
    if (what.worker) await runtime.reload();
    if (what.worker) report({ event: "note", text: "loaded the changed Worker" });
    if (!what.supervisor) return;
    const done = await runtime.operator.call("restart", RESTART_MS);
    report({ event: "note", text: done.ok ? "restarted the agent" : `restart: ${done.reason}` });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    report({ event: "warning", text: `could not load the changed code: ${reason}` });
  }
}
