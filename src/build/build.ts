/** Everything between the sources and a start: generated files, bundles, Control UI assets. */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { buildAdminUi } from "./admin-ui.ts";
import { buildBundles } from "./bundles.ts";
import { bakeCompileCache } from "./compile-cache.ts";
import type { CompileCacheResult } from "./compile-cache.ts";
import { buildControlUi } from "./control-ui.ts";
import { writeGenerated } from "./generated.ts";
import type { BuildPaths } from "./paths.ts";
import { bundlePlugins } from "./plugins.ts";

export type BuildResult = { ok: true; lines: string[] } | { ok: false; reason: string };

/**
 * `lines` says what changed, one plain statement each. The signal cuts it short: what takes long is
 * ended and made anew the next time.
 */
export async function buildAll(paths: BuildPaths, stop?: AbortSignal): Promise<BuildResult> {
  await mkdir(path.dirname(paths.supervisor), { recursive: true });
  const generated = await writeGenerated(paths);
  if (!generated.ok) return generated;
  const plugins = await bundlePlugins(paths);
  if (!plugins.ok) return plugins;
  const [bundles, assets, compileCache] = await Promise.all([
    buildBundles(paths),
    buildControlUi(paths),
    bakeCompileCache(paths, stop),
  ]);
  if (!bundles.ok) return bundles;
  if (!assets.ok) return assets;
  if (stop?.aborted === true) return { ok: false, reason: "it was cut short" };
  const adminUi = await buildAdminUi(paths);
  if (!adminUi.ok) return adminUi;
  return {
    ok: true,
    lines: [
      ...generated.written.map((file) => `wrote ${file}`),
      ...plugins.placed.map((plugin) => `put the plugin ${plugin} beside the gateway's own`),
      "bundled the supervisor and the local Workers into dist",
      assets.files === "unchanged"
        ? "Control UI files are up to date"
        : `linked ${assets.files} Control UI files into dist/assets`,
      compileCacheLine(compileCache),
      adminUi.built ? "built the admin page" : "the admin page is up to date",
    ],
  };
}

function compileCacheLine(result: CompileCacheResult): string {
  if (!result.ok)
    return `the gateway compiles at each start, its cache was not baked: ${result.reason}`;
  return result.baked ? "baked the gateway's compile cache" : "the compile cache is up to date";
}
