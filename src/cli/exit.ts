/** Exit codes of every command. */
export const EXIT = {
  ok: 0,
  /** Something is missing, taken or broken; the message says what. */
  failed: 1,
  /** The command line cannot be understood. */
  usage: 2,
} as const;
