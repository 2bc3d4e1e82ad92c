/** How long nothing has shown that the whole state is kept: passes that hang, fail or never begin all make it grow. */
export interface Proof {
  /** The restore has ended: from here on there is something to keep. */
  begin(): void;
  /** The same as `seal`, whose answer is called when a pass found all of it kept, or kept it. */
  around(seal: () => () => void): () => () => void;
  /** Undefined before there is something to keep. */
  ageMs(): number | undefined;
}

/** @param now milliseconds of a clock that stands while the machine sleeps */
export function createProof(now: () => number): Proof {
  let at: number | undefined;
  return {
    begin() {
      at = now();
    },
    around: (seal) => () => {
      const sealed = seal();
      return () => {
        at = now();
        sealed();
      };
    },
    ageMs: () => (at === undefined ? undefined : Math.round(now() - at)),
  };
}
