/** How bubblewrap is spoken to: descriptors beyond the usual three. */
import type { ChildProcess } from "node:child_process";
import { Duplex } from "node:stream";

/** Node gives extra descriptors as two-way pipes. */
export function pipe(child: ChildProcess, descriptor: number): Duplex {
  const streams: unknown[] = child.stdio;
  const stream = streams[descriptor];
  if (!(stream instanceof Duplex)) throw new Error(`descriptor ${descriptor} is not a pipe`);
  // The program may be gone before it has read everything; its exit says so.
  stream.on("error", () => {});
  return stream;
}

export const words = (list: string[]): string => list.map((word) => `${word}\0`).join("");
