/** How the settings of one matter are read, and what is said of one that is wrong. */
import type { Field } from "./fields.ts";

/** Reads one setting; undefined when it is not set or wrong, which is then among the problems. */
export type Read = <T>(name: string, parse: (text: string) => Field<T>) => T | undefined;

/** Told to everybody who asks the Worker: no text holds a setting's value, or a part of one. */
export interface ConfigProblem {
  name: string;
  problem: string;
  mend: string;
}

/**
 * A problem that quotes an entry of a list says instead which one it is: the list may hold people's
 * addresses, or a key that was pasted into the wrong line.
 */
export function withoutValue(problem: string, given: string): string {
  return problem.replace(/"(.*)"/s, (_whole, quoted: string) => {
    const told = quoted.toLowerCase();
    const entries = given
      .toLowerCase()
      .split(/[\s,]+/)
      .filter((entry) => entry !== "");
    const whole = entries.indexOf(told);
    // A long entry is quoted in part; another one may begin with all of a short one.
    const at = whole < 0 ? entries.findIndex((entry) => entry.startsWith(told)) : whole;
    return at < 0 ? "an entry" : `entry ${at + 1}`;
  });
}
