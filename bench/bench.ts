/** What a bench is, and what it hands back. */
import type { Pair } from "./pair.ts";

export interface Goal {
  what: string;
  measured: string;
  goal: string;
  met: boolean;
}

export interface Table {
  head: readonly string[];
  rows: readonly (readonly string[])[];
}

export interface Outcome {
  /** One sentence: what was done to what. */
  how: string;
  table: Table;
  goals: readonly Goal[];
}

export interface BenchTools {
  /** Shows progress. */
  tell(text: string): void;
  /** The system and a gateway started by hand, shared by the benches that use them. */
  pair(): Promise<Pair>;
}

export interface Bench {
  name: string;
  about: string;
  /** What it takes on a machine that does nothing else; absent for one at most. */
  minutes?: number;
  run(tools: BenchTools): Promise<Outcome>;
}
