/** Which names a sandbox may look up, and the stand-in addresses it gets for them. */

/**
 * Stand-ins come from 11.0.0.0/8, as they do in Cloudflare's own interceptor: the block is assigned
 * but not routed on the internet, and programs that refuse private ranges accept it.
 */
const FIRST_STAND_IN = 11 * 2 ** 24 + 1;
/** Names remembered for one sandbox; the oldest are forgotten, so a name flood stays bounded. */
const MOST_NAMES = 10_000;

export type NameBook = {
  /** The stand-in address of a name; the same name keeps its address while it is remembered. */
  addressOf(name: string): string;
  /** Remembers a real address for a name. */
  remember(name: string, address: string): void;
  nameOf(address: string): string | undefined;
};

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

export function createNameBook(): NameBook {
  const addresses = new Map<string, string>();
  const names = new Map<string, string>();
  let next = 0;
  const remember = (name: string, address: string): void => {
    names.set(address, name);
    const [oldest] = names.keys();
    if (names.size > MOST_NAMES && oldest !== undefined) {
      const forgotten = names.get(oldest);
      names.delete(oldest);
      if (forgotten !== undefined) addresses.delete(forgotten);
    }
  };
  return {
    addressOf(name) {
      const known = addresses.get(name);
      if (known !== undefined) return known;
      const address = dotted(FIRST_STAND_IN + (next % (2 ** 24 - 2)));
      next += 1;
      addresses.set(name, address);
      remember(name, address);
      return address;
    },
    remember,
    nameOf: (address) => names.get(address),
  };
}

/** A pattern of the runtime's allow list: `*` stands for any run of characters, dots included. */
export function matchesPattern(pattern: string, name: string): boolean {
  const parts = pattern.toLowerCase().split("*");
  const [first = "", ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
