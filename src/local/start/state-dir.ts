/**
 * The folder of everything that lasts. Fails closed: a folder that cannot be written, that a newer
 * version made, or that another start holds, is refused and left as it is.
 */
import { access, chmod, constants, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";

/** Raised when a change of the layout makes older programs misread it. */
export const STATE_VERSION = 1;

const versionFile = z.object({ version: z.number().int().positive() });

export type StateDir = { ok: true; dir: string } | { ok: false; reason: string };

export async function openStateDir(folder: string): Promise<StateDir> {
  const dir = path.resolve(folder);
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    await chmod(dir, 0o700);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
    return {
      ok: false,
      reason: `the state folder ${dir} cannot be written${code}: choose another with --state-dir`,
    };
  }
  const file = path.join(dir, "version.json");
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return await claimFresh(dir, file);
  return checkVersion(dir, text);
}

/** An unknown folder with files in it may be anything: nothing is put among them. */
async function claimFresh(dir: string, file: string): Promise<StateDir> {
  if ((await readdir(dir)).length > 0) {
    return {
      ok: false,
      reason: `${dir} holds files but is no state folder of moltworker: choose another with --state-dir`,
    };
  }
  await writeFile(file, `${JSON.stringify({ version: STATE_VERSION })}\n`, { mode: 0o600 });
  return { ok: true, dir };
}

function checkVersion(dir: string, text: string): StateDir {
  let version: number;
  try {
    version = versionFile.parse(JSON.parse(text)).version;
  } catch {
    return {
      ok: false,
      reason: `${path.join(dir, "version.json")} is damaged: it names no version`,
    };
  }
  if (version > STATE_VERSION) {
    return {
      ok: false,
      reason:
        `${dir} was made by a newer moltworker (layout ${version}, this one knows ${STATE_VERSION}): ` +
        `update this checkout, or choose another folder with --state-dir`,
    };
  }
  return { ok: true, dir };
}
