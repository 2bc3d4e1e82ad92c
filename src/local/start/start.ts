/** `npm start`, from the checked options to the clean end. */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { buildAll } from "../../build/build.ts";
import { PROJECT_ROOT, buildPaths } from "../../build/paths.ts";
import type { BuildPaths } from "../../build/paths.ts";
import { DEFAULT_AGENT_ID } from "../../protocol/names.ts";
import { adminCode } from "../admin-login/code.ts";
import { LOGIN_PATH } from "../admin-login/verifier.ts";
import { openBrowser as openAgentBrowser } from "./browser.ts";
import { createClosers } from "./closers.ts";
import type { Closers } from "./closers.ts";
import { openEngine } from "./engine.ts";
import { followAgent } from "./follow.ts";
import { stopAgent } from "./last-stop.ts";
import { lookAfterAgent } from "./look-after.ts";
import { browserOpener, openBrowser } from "./open-browser.ts";
import type { StartOptions } from "./options.ts";
import { prepare } from "./prepare.ts";
import { logEvent } from "./report.ts";
import type { Report } from "./report.ts";
import { ADMIN_ADDRESS, startRuntime } from "./runtime.ts";
import type { Runtime } from "./runtime.ts";
import { SYSTEM_FOLDERS, missingTools, missingToolsText } from "./sandbox-image.ts";
import { randomToken } from "./secrets.ts";
import { statusLines } from "./status-lines.ts";
import { watchSources } from "./watch.ts";

export type Ended = { ok: true } | { ok: false; reason: string };

export async function start(
  options: StartOptions,
  report: Report,
  stop: AbortSignal,
  paths: BuildPaths = buildPaths(PROJECT_ROOT),
): Promise<Ended> {
  const closers = createClosers();
  try {
    const running = await open(options, report, stop, closers, paths);
    if (!running.ok) return running;
    const following = followAgent(running.runtime.operator, report, stop);
    const watched = lookAfterAgent(running.runtime.operator, stop);
    const started = running.runtime.operator.call("start", 1000);
    if (options.watch) watchSources(running.runtime, report, stop);
    await aborted(stop);
    await Promise.allSettled([following, watched, started]);
    report({ event: "step", text: "stopping" });
    await stopAgent(running.runtime.operator, report);
    return { ok: true };
  } finally {
    const failed = await closers.closeAll();
    if (failed.length > 0) report({ event: "note", text: `did not end: ${failed.join(", ")}` });
    if (stop.aborted) report({ event: "stopped" });
  }
}

type Opened = { ok: true; runtime: Runtime } | { ok: false; reason: string };

async function open(
  options: StartOptions,
  report: Report,
  stop: AbortSignal,
  closers: Closers,
  paths: BuildPaths,
): Promise<Opened> {
  const preparation = await prepare(PROJECT_ROOT, options, report, closers);
  if (!preparation.ok) return preparation;
  const { prepared } = preparation;

  const home = path.join(prepared.stateDir, "sandbox", DEFAULT_AGENT_ID, "home");
  await mkdir(home, { recursive: true, mode: 0o700 });
  report({ event: "step", text: "building" });
  const [built, missing] = await Promise.all([buildAll(paths, stop), missingTools(SYSTEM_FOLDERS)]);
  if (stop.aborted) return { ok: false, reason: "stopped before it was up" };
  if (!built.ok) return { ok: false, reason: `the build failed: ${built.reason}` };

  const engine = await openEngine({
    wanted: options.engine,
    paths,
    home,
    stateDir: prepared.stateDir,
    report,
    closers,
  });
  if (!engine.ok) return engine;
  if (engine.kind === "bubblewrap" && missing.length > 0) {
    report({ event: "note", text: missingToolsText(missing) });
  }

  const browser = await openAgentBrowser(options, engine.kind, prepared, closers);
  const adminHost = `${ADMIN_ADDRESS}:${prepared.adminPort}`;
  const secret = randomToken();
  const started = await startRuntime(
    {
      host: options.host,
      port: prepared.port,
      adminPort: prepared.adminPort,
      stateDir: prepared.stateDir,
      workerBundle: paths.localWorker,
      operatorBundle: paths.operator,
      assets: paths.assets,
      bindings: {
        ...prepared.bindings,
        LOCAL_ADMIN_SECRET: secret,
        LOCAL_EXPOSED: options.exposed ? "yes" : "no",
        LOCAL_ADMIN_HOSTS: `${adminHost},localhost:${prepared.adminPort}`,
      },
      image: engine.image,
      engineSocket: engine.socketPath,
      interceptorImage: engine.interceptorImage,
      browserSocket: browser.socketPath,
      onLog: (level, text) => report(logEvent(level, text)),
      onRestart: () => report({ event: "note", text: "workerd died and was started again" }),
      onSilent: (text) => report({ event: "warning", text }),
    },
    stop,
  );
  if (!started.ok) return started;
  closers.add("workerd", () => started.runtime.close());

  await prepared.lock.publish(prepared.origin);
  const facts = {
    ...prepared,
    engine: engine.kind,
    limits: engine.limits,
    browser: browser.text,
  };
  for (const line of statusLines(facts)) report({ event: "status", ...line });
  const controlUi = `${prepared.origin}/?token=${encodeURIComponent(prepared.gatewayToken)}`;
  report({
    event: "listening",
    url: prepared.origin,
    port: prepared.port,
    controlUi,
    adminUrl: `http://${adminHost}`,
    admin: `http://${adminHost}${LOGIN_PATH}?code=${await adminCode(secret, 1)}`,
  });

  if (options.exposed) {
    report({
      event: "warning",
      text: `listening on ${options.host}: whoever reaches this machine may try to log in there`,
    });
  }
  const opener = options.open && !options.json ? browserOpener(desktop()) : undefined;
  if (opener !== undefined) openBrowser(opener, controlUi);
  return { ok: true, runtime: started.runtime };
}

function desktop() {
  return {
    platform: process.platform,
    tty: process.stdout.isTTY === true,
    root: process.getuid?.() === 0,
    env: process.env,
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
