/** Files in the repository that are generated from data, so that they cannot drift from it. */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { SETTINGS } from "../worker/config/settings.ts";
import { DOCUMENTS, fillDocument } from "./documents.ts";
import { CATALOGUES, outputMaximums } from "./output-maximums.ts";
import { dockerfile, packagesJson, parsePackageList } from "./image-files.ts";
import type { BuildPaths } from "./paths.ts";
import { settingsExample } from "./settings-example.ts";

export type GeneratedFiles =
  | { ok: true; files: { path: string; text: string }[] }
  | { ok: false; reason: string };

/** What the generated files should hold. */
export async function generatedFiles(paths: BuildPaths): Promise<GeneratedFiles> {
  const list = parsePackageList(await readFile(paths.packagesText, "utf8").catch(() => ""));
  if (!list.ok) {
    const file = path.relative(paths.root, paths.packagesText);
    return { ok: false, reason: `${file}:${list.line}: "${list.text}" is no Debian package name` };
  }
  return {
    ok: true,
    files: [
      { path: paths.dockerfile, text: dockerfile(list.packages) },
      { path: paths.packagesJson, text: packagesJson() },
      { path: paths.outputMaximums, text: await maximumsOf(paths.openclaw) },
      { path: paths.settingsExample, text: settingsExample(SETTINGS) },
      ...(await Promise.all(DOCUMENTS.map((name) => filled(path.join(paths.root, name))))),
    ],
  };
}

async function maximumsOf(openclaw: string): Promise<string> {
  const read = async (...names: string[]): Promise<unknown> =>
    JSON.parse(await readFile(path.join(openclaw, "dist", ...names), "utf8"));
  const plugins = CATALOGUES.map((id) => read("extensions", id, "openclaw.plugin.json"));
  return outputMaximums(await read("build-info.json"), await Promise.all(plugins));
}

async function filled(file: string): Promise<{ path: string; text: string }> {
  return { path: file, text: fillDocument(await readFile(file, "utf8")) };
}

/** Writes those that differ and answers their names. */
export async function writeGenerated(
  paths: BuildPaths,
): Promise<{ ok: true; written: string[] } | { ok: false; reason: string }> {
  const generated = await generatedFiles(paths);
  if (!generated.ok) return generated;
  const written: string[] = [];
  for (const file of generated.files) {
    if ((await readFile(file.path, "utf8").catch(() => undefined)) === file.text) continue;
    await writeFile(file.path, file.text);
    written.push(path.relative(paths.root, file.path));
  }
  return { ok: true, written };
}
