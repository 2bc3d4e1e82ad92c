/** Whether the sandbox's user, which is not the one who checked the project out, can read the image. */
import { stat } from "node:fs/promises";

const READ = 0o004;
const READ_AND_ENTER = 0o005;

/** The first of `paths` that users who do not own it cannot read; undefined when all can be read. */
export async function unreadableByOthers(paths: readonly string[]): Promise<string | undefined> {
  for (const one of paths) {
    const found = await stat(one);
    const needed = found.isDirectory() ? READ_AND_ENTER : READ;
    if ((found.mode & needed) !== needed) return one;
  }
  return undefined;
}

export function unreadableText(file: string, uid: number, root: string): string {
  return (
    `the sandbox runs as user ${uid}, who cannot read ${file} (a checkout under a strict umask). ` +
    `Mend it with: chmod -R go+rX ${root}`
  );
}
