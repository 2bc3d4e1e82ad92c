/** What /proc tells of a sandbox's processes, and what can be asked of them. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * bubblewrap reports the process before that process has mapped its user; who enters the namespaces
 * before would be nobody there.
 */
export async function untilMapped(first: number): Promise<void> {
  while (readFileSync(`/proc/${first}/uid_map`, "utf8").trim() === "") await sleep(1);
}

/** The entry process is the one child of bubblewrap's own first process in the sandbox. */
export function entryProcess(first: number): number | undefined {
  try {
    const children = readFileSync(`/proc/${first}/task/${first}/children`, "utf8").trim();
    return children === "" ? undefined : Number(children.split(" ")[0]);
  } catch {
    return undefined;
  }
}

/** The first process's end takes all others of its pid namespace along; the kernel needs a moment. */
export async function untilGone(first: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    try {
      const state = /^State:\s+(\w)/m.exec(readFileSync(`/proc/${first}/status`, "utf8"))?.[1];
      if (state === "Z") return;
    } catch {
      return;
    }
    await sleep(10);
  }
}

export function signalQuietly(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended already.
  }
}
