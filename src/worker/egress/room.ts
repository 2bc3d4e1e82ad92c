/** The hosts that one agent was refused, in its Durable Object. */
import { RpcTarget } from "cloudflare:workers";
import type { RefusedHost } from "../../protocol/admin.ts";
import type { RecordStore } from "../agent/store/records.ts";
import type { EgressCalls } from "./calls.ts";

/** RFC 1035, section 2.3.4: 255 octets, which are 253 characters as a name is written. */
const MAX_HOST = 253;

export class EgressRoom extends RpcTarget implements EgressCalls {
  readonly #records: RecordStore;
  readonly #changed: () => void;

  constructor(records: RecordStore, changed: () => void) {
    super();
    this.#records = records;
    this.#changed = changed;
  }

  async countRefused(host: string, times: number): Promise<void> {
    this.#records.countRefused(host.slice(0, MAX_HOST), times, Date.now());
    this.#changed();
  }

  async refusedHosts(): Promise<RefusedHost[]> {
    return this.#records.refusedHosts();
  }
}
