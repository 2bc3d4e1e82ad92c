/** A room of the Durable Object whose calls are noted before they are answered. */
import { RpcTarget } from "cloudflare:workers";

export type Note = (name: string, ...args: unknown[]) => void;

/** @param quiet methods that are not noted */
export function recorded(
  name: string,
  room: object,
  note: Note,
  quiet: readonly string[] = [],
): RpcTarget {
  class Recorded extends RpcTarget {}
  for (const method of Object.getOwnPropertyNames(Object.getPrototypeOf(room))) {
    if (method === "constructor") continue;
    Object.defineProperty(Recorded.prototype, method, {
      value: (...args: unknown[]) => {
        if (!quiet.includes(method)) note(`${name}.${method}`, ...args);
        return Reflect.apply(Reflect.get(room, method), room, args);
      },
    });
  }
  return new Recorded();
}
