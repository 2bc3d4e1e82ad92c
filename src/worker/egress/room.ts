/** What one agent's sandbox may reach at all, and the hosts it was refused, in its Durable Object. */
import { RpcTarget } from "cloudflare:workers";
import type { RefusedHost } from "../../protocol/admin.ts";
import type { RecordStore } from "../agent/store/records.ts";
import type { Panic } from "../audit/panic.ts";
import type { EgressCalls } from "./calls.ts";

/** RFC 1035, section 2.3.4: 255 octets, which are 253 characters as a name is written. */
const MAX_HOST = 253;

export interface EgressParts {
  records: RecordStore;
  panic: Panic;
  /** Pages that follow are told. */
  changed(): void;
}

export class EgressRoom extends RpcTarget implements EgressCalls {
  readonly #parts: EgressParts;

  constructor(parts: EgressParts) {
    super();
    this.#parts = parts;
  }

  async held(): Promise<boolean> {
    return this.#parts.panic.held !== undefined;
  }

  async countRefused(host: string, times: number): Promise<void> {
    this.#parts.records.countRefused(host.slice(0, MAX_HOST), times, Date.now());
    this.#parts.changed();
  }

  async refusedHosts(): Promise<RefusedHost[]> {
    return this.#parts.records.refusedHosts();
  }
}
