import { chmod, lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** A sandbox may have closed its own folders to everybody; their owner can open them again. */
async function openFolders(directory: string): Promise<void> {
  await chmod(directory, 0o700);
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    if ((await lstat(path)).isDirectory()) await openFolders(path);
  }
}

/**
 * Removes a sandbox's folder, whatever the sandbox has made of it. Nothing may run in it any more;
 * symbolic links in it are removed, never followed.
 */
export async function removeTree(directory: string): Promise<void> {
  const options = { recursive: true, force: true, maxRetries: 10, retryDelay: 50 };
  try {
    await rm(directory, options);
  } catch {
    await openFolders(directory);
    await rm(directory, options);
  }
}
