import { lstatSync } from "node:fs";
import { join } from "node:path";

/** Whether something is lost with an entry that is not kept: a pipe, a socket or a device holds nothing. */
export function holdsContent(home: string, path: string): boolean {
  try {
    const stat = lstatSync(join(home, path));
    return !(stat.isFIFO() || stat.isSocket() || stat.isBlockDevice() || stat.isCharacterDevice());
  } catch {
    // Under a name that cannot be kept it cannot be found either.
    return true;
  }
}
