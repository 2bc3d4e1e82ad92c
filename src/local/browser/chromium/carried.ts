/**
 * The Chromium that an npm package carries, for machines without one. Unpacked into the state folder
 * once a version: the package itself would use the common temporary folder, where another user of the
 * machine could have put something in its place.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, mkdir, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createBrotliDecompress } from "node:zlib";
import tar from "tar-stream";
import * as z from "zod";

const PACKAGE = "@sparticuz/chromium";
/** Archives beside the program: fonts for machines without any, libraries that a small system lacks. */
const FOLDERS = [
  { archive: "fonts.tar.br", folder: "fonts" },
  { archive: "al2023.tar.br", folder: "libraries" },
] as const;

export interface Carried {
  executable: string;
  fonts: string;
  /** For `LD_LIBRARY_PATH`, where the system lacks what Chromium links to. */
  libraries: string;
  version: string;
}

/** Undefined when the package is not installed, or not for this kind of machine. */
export async function unpackCarried(stateDir: string): Promise<Carried | undefined> {
  const root = packageFolder();
  if (root === undefined || process.platform !== "linux" || process.arch !== "x64")
    return undefined;
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(path.join(root, "package.json"), "utf8")));
  const folder = path.join(stateDir, "browser", `chromium-${version}`);
  const carried = {
    executable: path.join(folder, "chromium"),
    fonts: path.join(folder, "fonts"),
    libraries: path.join(folder, "libraries", "lib"),
    version,
  };
  if (await isThere(path.join(folder, "complete"))) return carried;

  // Under another name until it is whole, so that a start that was killed leaves nothing half done.
  const fresh = `${folder}.${process.pid}`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  const bin = path.join(root, "bin");
  const program = path.join(fresh, "chromium");
  await pipeline(
    createReadStream(path.join(bin, "chromium.br")),
    createBrotliDecompress(),
    createWriteStream(program),
  );
  await chmod(program, 0o755);
  for (const { archive, folder: name } of FOLDERS) {
    await unpackArchive(path.join(bin, archive), path.join(fresh, name));
  }
  createWriteStream(path.join(fresh, "complete")).end();
  await rm(folder, { recursive: true, force: true });
  await rename(fresh, folder);
  return carried;
}

function packageFolder(): string | undefined {
  try {
    const entry = fileURLToPath(import.meta.resolve(PACKAGE));
    return entry.slice(0, entry.lastIndexOf(PACKAGE) + PACKAGE.length);
  } catch {
    return undefined;
  }
}

async function unpackArchive(archive: string, folder: string): Promise<void> {
  const entries = tar.extract();
  const read = pipeline(createReadStream(archive), createBrotliDecompress(), entries);
  for await (const entry of entries) {
    const target = path.join(folder, path.normalize(`/${entry.header.name}`));
    if (entry.header.type === "file") {
      await mkdir(path.dirname(target), { recursive: true });
      await pipeline(entry, createWriteStream(target));
    } else {
      entry.resume();
    }
  }
  await read;
}

async function isThere(file: string): Promise<boolean> {
  return readFile(file).then(
    () => true,
    () => false,
  );
}
