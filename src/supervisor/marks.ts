/**
 * Says up to where the gateway's disk is kept. A mark stands for everything that was there when it
 * was taken; it is kept once a backup that began later is committed.
 */
export interface Marks {
  /** Everything the gateway has on its disk by now. */
  take(): number;
  /** A backup begins to read; the answer is called when it is committed. */
  seal(): () => void;
  /** The newest mark that a committed backup holds; every mark, when nothing is kept at all. */
  kept(): number;
}

export function createMarks(parts: { kept: boolean; onKept(): void }): Marks {
  let taken = 0;
  let kept = 0;
  return {
    take() {
      taken += 1;
      return taken;
    },
    seal() {
      const upTo = taken;
      return () => {
        if (upTo <= kept) return;
        kept = upTo;
        parts.onKept();
      };
    },
    kept: () => (parts.kept ? kept : taken),
  };
}
