import { descendants, type TreeProcess } from "./process-tree.ts";

/** The Chromiums that this process has running in their sandboxes: the first process of each. */
export function browserProcesses(): TreeProcess[] {
  const found = descendants(process.pid).filter(({ command }) => {
    const [program = ""] = command.split(" ");
    const runs =
      /chrom|headless/i.test(program) && command.includes("--user-data-dir=/tmp/profile");
    return runs && !command.includes("--type=");
  });
  // A child that was only just made still has its parent's arguments.
  return found.filter(({ parent }) => !found.some(({ pid }) => pid === parent));
}
