/** What has been opened, closed in reverse order; each with a deadline, none keeps the next waiting. */
export interface Closers {
  add(name: string, close: () => Promise<void> | void): void;
  /** Answers the names of those that failed or took too long. */
  closeAll(): Promise<string[]>;
}

const DEADLINE_MS = 15_000;

export function createClosers(): Closers {
  const open: { name: string; close: () => Promise<void> | void }[] = [];
  return {
    add(name, close) {
      open.push({ name, close });
    },
    async closeAll() {
      const failed: string[] = [];
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        const { name, close } = next;
        const late = Promise.withResolvers<"late">();
        const timer = setTimeout(() => late.resolve("late"), DEADLINE_MS);
        try {
          if ((await Promise.race([close(), late.promise])) === "late") failed.push(name);
        } catch {
          failed.push(name);
        } finally {
          clearTimeout(timer);
        }
      }
      return failed;
    },
  };
}
