/**
 * Says up to where the gateway's disk is kept. A mark stands for everything that was there when it
 * was taken; it is kept once a backup that began some seconds later is committed: the gateway says that it has
 * a message a moment before the message stands in its conversation. A gateway that ends in between may have it nowhere:
 * such a mark waits until the next gateway has the message again, and some seconds more.
 */
export interface Marks {
  /** Everything the gateway has on its disk by now. */
  take(): number;
  /** A backup begins to read; the answer is called when it is committed. */
  seal(): () => void;
  /**
   * The gateway ended. The answer is called when a new one has all that it took; it does nothing once that one ended as
   * well.
   */
  hold(): () => void;
  /** The newest mark that a committed backup holds; every mark, when nothing is kept at all. */
  kept(): number;
}

/** 2.2 s were seen, on a machine that was busy. */
export const BEHIND_MS = 5_000;

export interface MarksParts {
  /** A bucket is bound. */
  kept: boolean;
  onKept(): void;
  /** Something is to be kept soon. */
  poke(): void;
  /** Milliseconds. */
  now(): number;
}

export function createMarks(parts: MarksParts): Marks {
  let taken = 0;
  let kept = 0;
  /** Of each mark from `kept` + 1 on, when it was taken, or had again. */
  const times: number[] = [];
  let later: NodeJS.Timeout | undefined;
  let held: { since: number; by: symbol } | undefined;

  function pokeSoon(): void {
    clearTimeout(later);
    later = setTimeout(() => parts.poke(), BEHIND_MS).unref();
  }

  return {
    take() {
      taken += 1;
      if (!parts.kept) return taken;
      times.push(parts.now());
      parts.poke();
      pokeSoon();
      return taken;
    },
    seal() {
      const before = (held?.since ?? parts.now()) - BEHIND_MS;
      const young = times.filter((at) => at > before).length;
      const upTo = taken - young;
      return () => {
        if (upTo <= kept) return;
        times.splice(0, upTo - kept);
        kept = upTo;
        parts.onKept();
      };
    },
    hold() {
      const by = Symbol("hold");
      const since = held?.since ?? parts.now();
      held = { since, by };
      return () => {
        if (held?.by !== by) return;
        held = undefined;
        const now = parts.now();
        const old = times.filter((at) => at <= since - BEHIND_MS).length;
        times.fill(now, old);
        if (times.length > old) pokeSoon();
      };
    },
    kept: () => (parts.kept ? kept : taken),
  };
}
