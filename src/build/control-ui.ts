/** The Control UI as static files of the Worker, out of the pinned `openclaw` package. */
import { copyFile, link, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { asServedAtRoot, inlineScriptHashes, withBootstrap } from "./control-ui-index.ts";
import { hashOf } from "./hash.ts";
import type { BuildPaths } from "./paths.ts";

/**
 * Left out: what only the gateway's own server reads, and the service worker, because one that is
 * registered on the shared origin outlives the session it came with.
 */
const LEFT_OUT = /(\.br|\.gz|\.map)$|^(index\.html|asset-manifest\.json|sw\.js)$/;

const marker = z.object({ key: z.string() });

export type AssetsResult =
  | { ok: true; files: number | "unchanged" }
  | { ok: false; reason: string };

export async function buildControlUi(paths: BuildPaths): Promise<AssetsResult> {
  const index = await readFile(path.join(paths.controlUi, "index.html"), "utf8").catch(() => "");
  if (index === "") {
    return { ok: false, reason: `no Control UI in ${paths.controlUi}: run npm install first` };
  }
  const version = await openclawVersion(paths.openclaw);
  const key = hashOf([index, version, await readFile(import.meta.filename, "utf8")]);
  if ((await presentKey(paths.assetsMarker)) === key) return { ok: true, files: "unchanged" };

  const served = asServedAtRoot(index);
  if (!served.ok) return served;
  const page = withBootstrap(served.html);
  if (!page.ok) return page;

  // Built beside and moved into place, so that a build cut short leaves the old files whole.
  const fresh = `${paths.assets}.${process.pid}`;
  await rm(fresh, { recursive: true, force: true });
  const files = await linkFiles(paths.controlUi, fresh);
  await mkdir(path.join(fresh, "_control-ui"), { recursive: true });
  await writeFile(path.join(fresh, "_control-ui", "index.html"), page.html);
  await writeFile(
    path.join(fresh, "_control-ui", "meta.json"),
    JSON.stringify({ scriptHashes: inlineScriptHashes(page.html), openclawVersion: version }),
  );
  await rm(paths.assetsMarker, { force: true });
  await rm(paths.assets, { recursive: true, force: true });
  await rename(fresh, paths.assets);
  await writeFile(paths.assetsMarker, JSON.stringify({ key }));
  return { ok: true, files };
}

async function openclawVersion(folder: string): Promise<string> {
  const text = await readFile(path.join(folder, "package.json"), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

async function presentKey(file: string): Promise<string | undefined> {
  try {
    return marker.parse(JSON.parse(await readFile(file, "utf8"))).key;
  } catch {
    return undefined;
  }
}

async function linkFiles(from: string, to: string): Promise<number> {
  await mkdir(to, { recursive: true });
  let files = 0;
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (LEFT_OUT.test(entry.name)) continue;
    const source = path.join(from, entry.name);
    const target = path.join(to, entry.name);
    if (entry.isDirectory()) {
      files += await linkFiles(source, target);
    } else if (entry.isFile()) {
      await link(source, target).catch(() => copyFile(source, target));
      files += 1;
    }
  }
  return files;
}
