/**
 * Keeps the supervisor small; imported before anything else. It moves bytes and waits: what is hot
 * is in Node's own native code, and the optimizing compilers with what they produce would add more
 * than 10 MB. Its heap is collected before it grows, which costs little while it is small.
 */
import { setFlagsFromString } from "node:v8";

for (const flag of ["--no-opt", "--no-maglev", "--max-semi-space-size=1", "--optimize-for-size"]) {
  setFlagsFromString(flag);
}

/**
 * While nobody is served yet: marking begins whenever large memory comes in, tens of times in a restore, and finds
 * little. Without it the collector waits until there is much to find, and then takes its pause at once.
 */
export async function withoutMarking<T>(work: () => Promise<T>): Promise<T> {
  setFlagsFromString("--no-incremental-marking");
  try {
    return await work();
  } finally {
    setFlagsFromString("--incremental-marking");
  }
}
