/**
 * Joins a client's HTTP/1.1 connection with its way out.
 *
 * A way out that goes while a request is unanswered resets the client's connection. An orderly end there
 * reads like an idle connection that was let go, and clients send the request once more, although it
 * may have arrived: what a runtime that died had passed on already would be done twice. After a reset
 * only what may be repeated is (RFC 9110, section 9.2.2).
 */
import type { Duplex } from "node:stream";
import { relay } from "../relay.ts";

/** How a request begins; what follows the first part of one that is being sent does not look like it. */
const REQUEST_LINE = /^[A-Z]{1,20} \S+ HTTP\/1\.[01]\r\n/;
const LONGEST_LINE = 16_384;

/** @param reset ends the client's connection so that the client sees it as broken */
export function relayRequests(client: Duplex, upstream: Duplex, reset: () => void): void {
  let unanswered = false;
  client.on("data", (chunk: Buffer) => {
    unanswered ||= REQUEST_LINE.test(chunk.subarray(0, LONGEST_LINE).toString("latin1"));
  });
  upstream.on("data", () => {
    unanswered = false;
  });
  for (const gone of ["end", "error", "close"]) {
    // Before the relay hears of it, which would end the client's side in order.
    upstream.once(gone, () => {
      if (!unanswered) return;
      unanswered = false;
      reset();
    });
  }
  relay(client, upstream);
}
