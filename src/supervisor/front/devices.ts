/** The devices an admin approved, and the sockets that are open under each of them. */
export interface Devices {
  isApproved(deviceId: string): boolean;
  /** Replaces the list; sockets of a device that is no longer on it are ended. */
  replace(approved: readonly string[]): void;
  /** Remembers how to end a socket; returns what to call when it ended. */
  hold(deviceId: string, end: () => void): () => void;
}

export function createDevices(approved: readonly string[]): Devices {
  let list = new Set(approved);
  const open = new Map<string, Set<() => void>>();
  return {
    isApproved: (deviceId) => list.has(deviceId),
    replace(next) {
      list = new Set(next);
      for (const [deviceId, sockets] of open) {
        if (!list.has(deviceId)) for (const end of sockets) end();
      }
    },
    hold(deviceId, end) {
      const sockets = open.get(deviceId) ?? new Set();
      open.set(deviceId, sockets);
      sockets.add(end);
      return () => {
        sockets.delete(end);
        if (sockets.size === 0 && open.get(deviceId) === sockets) open.delete(deviceId);
      };
    },
  };
}
