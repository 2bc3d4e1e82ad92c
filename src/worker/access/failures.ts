/**
 * Slows down guessing. Fails closed for the client that guesses (the right token is refused too
 * while it is limited) and for nobody else. Counts live in the isolate: guessing a 32-character
 * token is hopeless anyway, this keeps it cheap and visible.
 */
const WINDOW_MS = 60_000;
const MAX_FAILURES = 10;
const MAX_CLIENTS = 5000;

export interface FailureLimiter {
  /** Seconds to wait, or undefined when the client may try. */
  retryAfter(client: string, now: number): number | undefined;
  failed(client: string, now: number): void;
}

export function createFailureLimiter(): FailureLimiter {
  const clients = new Map<string, { count: number; since: number }>();

  return {
    retryAfter(client, now) {
      const entry = clients.get(groupOf(client));
      if (entry === undefined || entry.count < MAX_FAILURES) return undefined;
      const left = entry.since + WINDOW_MS - now;
      return left > 0 ? Math.ceil(left / 1000) : undefined;
    },

    failed(client, now) {
      const key = groupOf(client);
      const entry = clients.get(key);
      const current = entry !== undefined && now - entry.since < WINDOW_MS;
      clients.delete(key);
      clients.set(key, {
        count: current ? entry.count + 1 : 1,
        since: current ? entry.since : now,
      });
      // The least recently failing client goes first.
      if (clients.size > MAX_CLIENTS) {
        for (const oldest of clients.keys()) {
          clients.delete(oldest);
          break;
        }
      }
    },
  };
}

/** One IPv6 customer holds a /64: its addresses count together. */
function groupOf(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::");
  const groups = head.split(":");
  if (tail !== undefined) while (groups.length < 4) groups.push("0");
  return groups.slice(0, 4).join(":");
}
