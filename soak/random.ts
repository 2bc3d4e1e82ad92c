import { createHash } from "node:crypto";

/** Numbers from 0 to 1 that a seed repeats: the first bytes of the hash of seed and turn. */
export function seeded(seed: number): () => number {
  let turn = 0;
  return () => {
    turn += 1;
    return createHash("sha256").update(`${seed} ${turn}`).digest().readUInt32BE() / 2 ** 32;
  };
}
