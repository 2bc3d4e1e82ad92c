/** How much a drill may take of the place it restores into. */
import { statfsSync } from "node:fs";

/** statfs(2) */
const TMPFS = 0x01021994;
const MOST_MEMORY = 256 * 1024 ** 2;

export function roomAt(folder: string): number {
  return roomIn(statfsSync(folder));
}

/** Bytes: half of what is free, and less where that is memory. */
export function roomIn(place: { type: number; bavail: number; bsize: number }): number {
  const half = (place.bavail * place.bsize) / 2;
  return place.type === TMPFS ? Math.min(half, MOST_MEMORY) : half;
}
