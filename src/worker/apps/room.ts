/**
 * Apps and phones of one agent, in its Durable Object. Fails closed: whoever is not listed is not let
 * in, and what was removed is out before the answer is given.
 */
import { RpcTarget } from "cloudflare:workers";
import type { AdminApps } from "../../protocol/admin-apps.ts";
import { type Asker, entryOf, type NewAuditEntry } from "../audit/calls.ts";
import type { Done } from "../done.ts";
import type { Sql } from "../agent/store/schema.ts";
import type { AppCalls, CodeNote, Redeemed, Redemption } from "./calls.ts";
import { AppStore } from "./store.ts";

export interface AppsParts {
  sql: Sql;
  agentId: string;
  now(): number;
  /** The addresses under which people open the agent. */
  origins(): readonly string[];
  record(entry: NewAuditEntry): void;
  /** A device may be waiting that was vouched for. */
  vouched(): void;
  /** What the app opened ends, and its device's approval with it. */
  removed(deviceId: string | undefined): Promise<Done>;
  /** Pages that follow are told. */
  changed(): void;
}

export class AppsRoom extends RpcTarget implements AppCalls {
  readonly #parts: AppsParts;
  readonly #store: AppStore;

  constructor(parts: AppsParts) {
    super();
    this.#parts = parts;
    this.#store = new AppStore(parts.sql, parts.agentId);
  }

  async list(): Promise<AdminApps> {
    return this.#store.list(this.#parts.now());
  }

  async noteCode(code: CodeNote): Promise<{ origin?: string }> {
    this.#store.noteCode(code, this.#parts.now());
    this.#parts.changed();
    const origins = this.#parts.origins();
    const origin = origins.find((known) => known.startsWith("https:")) ?? origins[0];
    return origin === undefined ? {} : { origin };
  }

  async dropCodes(): Promise<Done> {
    this.#store.dropCodes();
    this.#parts.changed();
    return { ok: true };
  }

  async redeem(redemption: Redemption): Promise<Redeemed> {
    const { now, record, vouched, changed } = this.#parts;
    const redeemed = this.#store.redeem(redemption, now());
    if (!redeemed.ok) return redeemed;
    const { from, id } = redemption;
    const detail = `${redeemed.name} ${id}`.trim();
    record({ kind: "app-let-in", who: redeemed.by, from, detail, times: 1 });
    changed();
    if (redemption.deviceId !== undefined) vouched();
    return { ok: true };
  }

  async remove(id: string, asker: Asker): Promise<Done> {
    const app = this.#store.remove(id);
    if (app === undefined) return { ok: false, reason: "There is no such app." };
    this.#parts.record(entryOf("app-removed", asker, id));
    this.#parts.changed();
    return this.#parts.removed(app.deviceId);
  }

  /** @param id undefined for whoever did not come by a credential of this kind */
  admits(id: string | undefined): boolean {
    return id === undefined || this.#store.admits(id, this.#parts.now());
  }

  removeAll(): void {
    this.#store.removeAll();
    this.#parts.changed();
  }

  vouchedDevices(): { deviceId: string; by: string }[] {
    return this.#store.vouched(this.#parts.now());
  }

  settle(deviceId: string): void {
    this.#store.settle(deviceId);
  }
}
