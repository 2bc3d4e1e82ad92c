/** Channel plugins that have to be among the gateway's own, put in place by the script that the image uses as well. */
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { BUNDLED_PLUGINS } from "../../container/image.ts";
import type { BuildPaths } from "./paths.ts";

const DEADLINE_MS = 60_000;

export type PluginsResult = { ok: true; placed: string[] } | { ok: false; reason: string };

export async function bundlePlugins(
  paths: Pick<BuildPaths, "root" | "containerModules">,
): Promise<PluginsResult> {
  const script = path.join(paths.root, "container", "bundle-plugins.mjs");
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [script, paths.containerModules, ...BUNDLED_PLUGINS],
      { timeout: DEADLINE_MS },
    );
    return { ok: true, placed: stdout.split("\n").filter((line) => line !== "") };
  } catch (error) {
    return { ok: false, reason: `the channel plugins are not in place: ${String(error)}` };
  }
}
