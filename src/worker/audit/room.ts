/** The audit log of one agent, in its Durable Object, and the pages that follow it. */
import { RpcTarget } from "cloudflare:workers";
import type { AdminAudit } from "../../protocol/admin-audit.ts";
import type { AuditCalls, AuditQuery, NewAuditEntry } from "./calls.ts";
import type { AuditLog } from "./log.ts";

export class AuditRoom extends RpcTarget implements AuditCalls {
  readonly #log: AuditLog;
  readonly #changed: () => void;

  constructor(log: AuditLog, changed: () => void) {
    super();
    this.#log = log;
    this.#changed = changed;
  }

  async record(entries: NewAuditEntry[]): Promise<void> {
    this.#log.record(entries, Date.now());
    this.#changed();
  }

  async read(query: AuditQuery): Promise<AdminAudit> {
    return this.#log.read(query);
  }

  note(entry: NewAuditEntry): void {
    this.#log.record([entry], Date.now());
    this.#changed();
  }
}
