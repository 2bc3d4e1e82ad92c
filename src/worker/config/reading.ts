/** How the settings of one matter are read, and what is said of one that is wrong. */
import type { Field } from "./fields.ts";

/** Reads one setting; undefined when it is not set or wrong, which is then among the problems. */
export type Read = <T>(name: string, parse: (text: string) => Field<T>) => T | undefined;

/** The text never holds a secret's value. */
export interface ConfigProblem {
  name: string;
  problem: string;
  mend: string;
}
