/** Miniflare ends the process at a signal without waiting for anything; a start has its own end. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Runs `make` and takes away whatever listener of a signal it added. */
export function withoutSignalListeners<T>(make: () => T): T {
  const before = SIGNALS.map((signal) => new Set(process.listeners(signal)));
  const made = make();
  SIGNALS.forEach((signal, at) => {
    for (const listener of process.listeners(signal)) {
      if (!before[at]?.has(listener)) process.off(signal, listener);
    }
  });
  return made;
}
