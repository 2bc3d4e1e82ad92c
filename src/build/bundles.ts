/** The programs that run outside this process, each as one file. */
import { chmod, readFile, rename, writeFile } from "node:fs/promises";
import { build, stop } from "esbuild";
import type { BuildOptions } from "esbuild";
import type { BuildPaths } from "./paths.ts";

const shared = {
  bundle: true,
  format: "esm",
  sourcemap: "linked",
  legalComments: "none",
  logLevel: "silent",
} satisfies BuildOptions;

/** PID 1 of the sandbox, or what it runs as the agent: plain Node, so everything is bundled in. */
export function sandboxBundle(source: string, outfile: string): BuildOptions {
  return {
    ...shared,
    entryPoints: [source],
    outfile,
    platform: "node",
    target: "node24",
    // Packages in CommonJS call `require` for Node's own modules.
    banner: {
      js: `import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);`,
    },
  };
}

/** What runs in workerd here. The deployed bundle is wrangler's, from src/worker/index.ts. */
function workerBundle(source: string, outfile: string): BuildOptions {
  return {
    ...shared,
    entryPoints: [source],
    outfile,
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
  };
}

export type BundleResult = { ok: true } | { ok: false; reason: string };

export async function buildBundles(paths: BuildPaths): Promise<BundleResult> {
  const problems: string[] = [];
  await Promise.all(
    [
      sandboxBundle(paths.supervisorSource, paths.supervisor),
      sandboxBundle(paths.agentProgramSource, paths.agentProgram),
      workerBundle(paths.localWorkerSource, paths.localWorker),
      workerBundle(paths.operatorSource, paths.operator),
    ].map(async (options) => {
      try {
        const { outputFiles } = await build({ ...options, write: false });
        for (const file of outputFiles) await replaceFile(file.path, file.contents);
      } catch (error) {
        problems.push(error instanceof Error ? error.message : String(error));
      }
    }),
  );
  // The compiler stays behind as a process of its own otherwise.
  await stop();
  return problems.length === 0 ? { ok: true } : { ok: false, reason: problems.join("\n") };
}

/**
 * A sandbox that runs keeps the supervisor it was started with, and a start beside this one never
 * reads half a file: what differs is written aside and moved into place.
 */
async function replaceFile(file: string, contents: Uint8Array): Promise<void> {
  const present = await readFile(file).catch(() => undefined);
  if (present?.equals(contents) === true) return;
  const fresh = `${file}.${process.pid}`;
  await writeFile(fresh, contents);
  await chmod(fresh, 0o644);
  await rename(fresh, file);
}
