import type { LogRing } from "./log-ring.ts";

/** The supervisor's own log: into the ring, from where it also goes to the container's output. */
export interface Log {
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
}

export function createLog(ring: LogRing): Log {
  return {
    debug: (text) => ring.add("supervisor", "debug", text),
    info: (text) => ring.add("supervisor", "info", text),
    warn: (text) => ring.add("supervisor", "warn", text),
    error: (text) => ring.add("supervisor", "error", text),
  };
}

/** What an unknown thrown value says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
