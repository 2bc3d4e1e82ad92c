/** Which process a library started below this one, when it does not say. */
import { readdir, readFile } from "node:fs/promises";

export interface WithChild<T> {
  value: T;
  /** @throws Error when none or more than one began meanwhile */
  pid(): number;
}

export async function withNewChild<T>(start: () => Promise<T>): Promise<WithChild<T>> {
  const before = await childPids();
  const value = await start();
  const began = (await childPids()).filter((pid) => !before.includes(pid));
  return {
    value,
    pid() {
      const [pid, more] = began;
      if (pid === undefined || more !== undefined) throw new Error(`it is one of ${began}`);
      return pid;
    },
  };
}

async function childPids(): Promise<number[]> {
  const tasks = await readdir("/proc/self/task");
  const lists = await Promise.all(
    tasks.map((task) => readFile(`/proc/self/task/${task}/children`, "utf8").catch(() => "")),
  );
  return lists.join(" ").split(" ").filter(Boolean).map(Number);
}
