/** Every wait of an agent's life in one place, in milliseconds. */
export interface Budget {
  /** `starting`: from the platform's start call to the supervisor's first answer. */
  answer: number;
  /** One question to a supervisor that may not listen yet, and the pause before the next. */
  hello: number;
  helloPause: number;
  /** `restoring`: until the supervisor has taken the boot document and put the state in place. */
  restore: number;
  /** `booting`: what the gateway may take; the supervisor gives up by itself at this time. */
  gateway: number;
  /** What the supervisor's own verdict may come later than `gateway`. */
  gatewayGrace: number;
  /** One question to a supervisor that runs. */
  control: number;
  /** A chat message on its way to the gateway's own storage. */
  delivery: number;
  /** `draining`: turns under way may end … */
  drain: number;
  /** … then the last backup is made; after that the sandbox is destroyed anyway. */
  finalBackup: number;
  /** A sleep that the last backup did not allow is tried again after this. */
  sleepRetry: number;
  destroy: number;
  /** What a request waits for the shared start at most. */
  requestWait: number;
  /** The alarm fires at least this often while a sandbox runs … */
  keepAlive: number;
  /** … sooner when its supervisor did not answer … */
  unanswered: number;
  /** … and a start is looked after this often … */
  startWatch: number;
  /** … which must be more often than the platform's own inactivity timeout. */
  inactivity: number;
  /** Activity is written to storage at most this often. */
  activityWrite: number;
  /** Waits after the first, second, … failure in a row. */
  retry: readonly number[];
}

export const BUDGET: Budget = {
  answer: 120_000,
  hello: 2_000,
  helloPause: 50,
  restore: 900_000,
  gateway: 120_000,
  gatewayGrace: 15_000,
  control: 10_000,
  delivery: 25_000,
  drain: 45_000,
  finalBackup: 120_000,
  sleepRetry: 60_000,
  destroy: 20_000,
  requestWait: 240_000,
  keepAlive: 120_000,
  unanswered: 30_000,
  startWatch: 5_000,
  inactivity: 900_000,
  activityWrite: 60_000,
  retry: [5_000, 15_000, 60_000, 300_000],
};

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
