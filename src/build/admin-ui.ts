/** The admin page as static files, beside the Control UI's: Vite's work, done again only when needed. */
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { build } from "vite";
import react from "@vitejs/plugin-react";
import tailwind from "@tailwindcss/vite";
import { hashOf } from "./hash.ts";
import type { BuildPaths } from "./paths.ts";

export type AdminUiResult = { ok: true; built: boolean } | { ok: false; reason: string };

/** Runs after the Control UI's files are in place, because those replace the whole assets folder. */
export async function buildAdminUi(paths: BuildPaths): Promise<AdminUiResult> {
  const key = await sourcesKey(paths);
  const present = await readFile(path.join(paths.adminUi, "key"), "utf8").catch(() => "");
  const built = present !== key;
  if (built) {
    const fresh = `${paths.adminUi}.${process.pid}`;
    try {
      await bundle(paths.adminUiSource, fresh);
    } catch (error) {
      await rm(fresh, { recursive: true, force: true });
      return { ok: false, reason: error instanceof Error ? error.message : String(error) };
    }
    await writeFile(path.join(fresh, "key"), key);
    await rm(paths.adminUi, { recursive: true, force: true });
    await rename(fresh, paths.adminUi);
  }
  const placed = path.join(paths.assets, "_admin");
  const placedKey = await readFile(path.join(placed, "key"), "utf8").catch(() => "");
  if (placedKey !== key) {
    await rm(placed, { recursive: true, force: true });
    await mkdir(paths.assets, { recursive: true });
    await cp(paths.adminUi, placed, { recursive: true });
  }
  return { ok: true, built };
}

/** Vite asks the environment, and a test runner's would put React's development build in. */
async function bundle(source: string, outDir: string): Promise<void> {
  const before = process.env["NODE_ENV"];
  process.env["NODE_ENV"] = "production";
  try {
    await viteBuild(source, outDir);
  } finally {
    if (before === undefined) delete process.env["NODE_ENV"];
    else process.env["NODE_ENV"] = before;
  }
}

async function viteBuild(source: string, outDir: string): Promise<void> {
  await build({
    root: source,
    base: "/_admin/",
    configFile: false,
    logLevel: "error",
    plugins: [react(), tailwind()],
    build: {
      outDir,
      emptyOutDir: true,
      // The policy of the page allows no inline script, and browsers without it are not served.
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 1000,
      rolldownOptions: {
        output: {
          // The setting that keeps schemas from making code has to run before any of them is made,
          // whichever file those come to lie in.
          codeSplitting: {
            groups: [{ name: "schemas", test: /node_modules\/zod\/|admin-ui\/schemas\.ts$/ }],
          },
        },
      },
      reportCompressedSize: false,
    },
  });
}

/** Everything the bundle is made of: the page, the shared contract, the versions of its packages. */
async function sourcesKey(paths: BuildPaths): Promise<string> {
  const folders = [paths.adminUiSource, paths.protocolSource];
  const files = (await Promise.all(folders.map(filesIn))).flat().sort();
  const lock = path.join(paths.root, "package-lock.json");
  const texts = await Promise.all(
    [...files, lock, import.meta.filename].map((file) => readFile(file, "utf8")),
  );
  return hashOf([...files.map((file) => path.relative(paths.root, file)), ...texts]);
}

async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  const found: string[] = [];
  for (const name of names) {
    const file = path.join(folder, name);
    if ((await stat(file)).isFile() && !name.endsWith(".test.ts")) found.push(file);
  }
  return found;
}
