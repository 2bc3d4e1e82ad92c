/**
 * The gateway's compile cache for local sandboxes, filled once by a gateway that runs under the same
 * paths and user id as in a sandbox: Node puts the id into the folder's name and the paths into the
 * entries. Mounted read-only, because the agent must not leave code for its next start.
 */
import { spawn } from "node:child_process";
import { access, chmod, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import * as image from "../../container/image.ts";
import { packagedCacheFolder } from "../supervisor/gateway/command.ts";
import { hashOf } from "./hash.ts";
import type { BuildPaths } from "./paths.ts";

export type CompileCacheResult =
  | { ok: true; baked: boolean }
  /** The gateway then compiles at every start; nothing else changes. */
  | { ok: false; reason: string };

const DEADLINE_MS = 300_000;

export async function bakeCompileCache(
  paths: BuildPaths,
  stop?: AbortSignal,
): Promise<CompileCacheResult> {
  const place = packagedCacheFolder(paths.openclaw);
  const script = path.join(paths.root, "container", "bake-compile-cache.mjs");
  const sources = [script, import.meta.filename].map((file) => readFile(file, "utf8"));
  const key = hashOf([place, process.version, process.arch, ...(await Promise.all(sources))]);
  const marker = path.join(paths.compileCache, "key");
  if ((await readFile(marker, "utf8").catch(() => "")) === key) return { ok: true, baked: false };

  const fresh = `${paths.compileCache}.${process.pid}`;
  await mkdir(fresh, { recursive: true });
  try {
    const failed = await runGateway(paths, script, fresh, stop);
    if (failed !== undefined) return { ok: false, reason: failed };
    if (!(await exists(path.join(fresh, place)))) {
      return { ok: false, reason: `the gateway left no ${place}` };
    }
    await readableByAll(fresh);
    await writeFile(path.join(fresh, "key"), key, { mode: 0o644 });
    await rm(paths.compileCache, { recursive: true, force: true });
    await rename(fresh, paths.compileCache);
    return { ok: true, baked: true };
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** Undefined when the cache was filled, else what went wrong. */
async function runGateway(
  paths: BuildPaths,
  script: string,
  target: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const { SANDBOX, AGENT_USER } = image;
  const merged = ["bin", "sbin", "lib", "lib64"];
  const args = [
    ...["--unshare-all", "--die-with-parent", "--new-session"],
    ...["--uid", String(AGENT_USER.uid), "--gid", String(AGENT_USER.gid)],
    ...["--ro-bind", "/usr", "/usr"],
    ...merged.flatMap((name) => ["--ro-bind-try", `/${name}`, `/${name}`]),
    ...["--ro-bind-try", "/etc/ssl", "/etc/ssl"],
    ...["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--dir", SANDBOX.home],
    ...["--ro-bind", path.dirname(path.dirname(process.execPath)), SANDBOX.node],
    ...["--ro-bind", paths.containerModules, SANDBOX.openclawModules],
    ...["--ro-bind", script, "/opt/moltworker/bake.mjs"],
    ...["--bind", target, SANDBOX.compileCache],
    ...["--chdir", SANDBOX.home, "--clearenv", "--setenv", "PATH", "/usr/bin:/bin"],
    ...["--", `${SANDBOX.node}/bin/node`, "/opt/moltworker/bake.mjs"],
    ...[SANDBOX.openclaw, SANDBOX.compileCache],
  ];
  // Not spawn's own timeout: one that was never begun keeps this process waiting for its end.
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const child = spawn("bwrap", args, {
    stdio: ["ignore", "pipe", "pipe"],
    killSignal: "SIGKILL",
    signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
  });
  let tail = "";
  const keep = (chunk: Buffer) => (tail = `${tail}${chunk.toString()}`.slice(-500));
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  return await new Promise((resolve) => {
    child.on("error", (error) => {
      // One that was cut short is still closing, and may write until then.
      if (error.name !== "AbortError") resolve(`bubblewrap does not start: ${error.message}`);
    });
    child.on("close", (code) => {
      if (code === 0) resolve(undefined);
      else if (signal?.aborted === true) resolve("it was cut short");
      else resolve(deadline.aborted ? `it took over ${DEADLINE_MS / 1000} s` : tail.trim());
    });
  });
}

/** The sandbox's user is another than the one who builds. */
async function readableByAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    await chmod(path.join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  }
}

/** Whether there is one to mount. */
export async function hasCompileCache(paths: Pick<BuildPaths, "compileCache">): Promise<boolean> {
  return await exists(path.join(paths.compileCache, "key"));
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
