/**
 * What was last seen of each session: whether somebody is connected, which pages are open, when it was
 * last used. Kept in memory: a new Durable Object looks again.
 */
import type { BrowserSessionView } from "../../protocol/browser.ts";
import { pageAddress } from "./page-address.ts";
import type { SessionRow } from "./store.ts";

/** Of one session. A page can open a thousand others. */
const MOST_PAGES_NOTED = 50;

interface Sighting {
  connected?: boolean;
  pages: { count: number; addresses: string[] };
  lastUse?: number;
}

export class Sightings {
  readonly #seen = new Map<string, Sighting>();

  used(id: string, now: number): void {
    this.#of(id).lastUse = now;
  }

  connected(id: string, connected: boolean, now: number): void {
    const sighting = this.#of(id);
    sighting.connected = connected;
    if (connected) sighting.lastUse = now;
  }

  /** @returns the addresses that are worth noting */
  pages(id: string, urls: readonly string[]): ReadonlySet<string> {
    const addresses = urls.slice(0, MOST_PAGES_NOTED).map(pageAddress);
    this.#of(id).pages = { count: urls.length, addresses };
    const noted = new Set(addresses);
    noted.delete("about:blank");
    return noted;
  }

  /** Milliseconds for which nobody used it; one that was never seen in use counts from now on. */
  idle(id: string, now: number): number {
    const sighting = this.#of(id);
    sighting.lastUse ??= now;
    return now - sighting.lastUse;
  }

  forget(id: string): void {
    this.#seen.delete(id);
  }

  view({ id, holder, address, startedAt }: SessionRow): BrowserSessionView {
    const { connected, pages } = this.#seen.get(id) ?? nothing();
    return {
      id,
      holder,
      from: address,
      startedAt,
      ...(connected === undefined ? {} : { connected }),
      pages: pages.addresses,
      pageCount: pages.count,
    };
  }

  #of(id: string): Sighting {
    const sighting = this.#seen.get(id) ?? nothing();
    this.#seen.set(id, sighting);
    return sighting;
  }
}

function nothing(): Sighting {
  return { pages: { count: 0, addresses: [] } };
}
