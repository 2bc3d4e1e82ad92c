import type { Duplex } from "node:stream";

const FAREWELL_MS = 5_000;

/** Ends a socket after these last bytes; by force when the other side does not follow. */
export function endSocket(socket: Duplex, last: string | Buffer): void {
  // An unread socket never notices that the other side has gone.
  socket.resume();
  socket.end(last);
  const force = setTimeout(() => socket.destroy(), FAREWELL_MS);
  force.unref();
  socket.once("close", () => clearTimeout(force));
}
