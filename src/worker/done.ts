/** How something went that answers with nothing else. */
export type Done = { ok: true } | { ok: false; reason: string };

/** The same of what ends a sandbox. */
export type Ended = Done & {
  /** Why the state that it had is lost, where no waiting could have mended that. */
  unkept?: string;
};
