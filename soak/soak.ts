/** What a soak is: something done so often, or so long, that what seldom goes wrong shows. */
import type { Outcome } from "../bench/bench.ts";

export interface SoakTools {
  /** Shows progress. */
  tell(text: string): void;
  /** How often it is done. */
  times: number;
  /** From 0 to 1; the same sequence for the same seed. */
  random: () => number;
}

export interface Soak {
  name: string;
  about: string;
  /** When none are asked for. */
  times: number;
  run(tools: SoakTools): Promise<Outcome>;
}
