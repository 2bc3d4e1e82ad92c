/**
 * The devices of one agent, in its Durable Object: what an admin decides about them, and what the
 * sandbox says of them. Fails closed: what a device may is decided by the record alone.
 */
import { RpcTarget } from "cloudflare:workers";
import { type Asker, entryOf } from "../audit/calls.ts";
import type { AppsRoom } from "../apps/room.ts";
import type { AuditRoom } from "../audit/room.ts";
import type { RecordStore } from "../agent/store/records.ts";
import type { Done } from "../done.ts";
import type { DeviceCalls, DevicesReply } from "./calls.ts";
import type { Devices } from "./devices.ts";
import { approveVouched } from "./vouched.ts";

/** Unrecorded devices named in the events since the Durable Object woke; they ask every second. */
const MAX_FLAGGED = 100;

export interface DevicesParts {
  devices: Devices;
  apps: AppsRoom;
  audit: AuditRoom;
  records: RecordStore;
  /** Why the gateway cannot be asked; undefined when it can. */
  notReady(): { ok: false; reason: string } | undefined;
  /** Pages that follow are told. */
  changed(): void;
}

export class DevicesRoom extends RpcTarget implements DeviceCalls {
  readonly #parts: DevicesParts;
  readonly #flagged = new Set<string>();

  constructor(parts: DevicesParts) {
    super();
    this.#parts = parts;
  }

  async list(): Promise<DevicesReply> {
    const { devices, notReady } = this.#parts;
    return notReady() ?? devices.list(Date.now());
  }

  async approve(deviceId: string, by: string): Promise<Done> {
    const { devices, notReady } = this.#parts;
    return notReady() ?? this.#changing(devices.approve(deviceId, by, Date.now()));
  }

  async reject(deviceId: string, by: string): Promise<Done> {
    const { devices, apps, notReady } = this.#parts;
    apps.settle(deviceId);
    return notReady() ?? this.#changing(devices.reject(deviceId, by, Date.now()));
  }

  async rename(deviceId: string, name: string): Promise<Done> {
    const { devices, notReady } = this.#parts;
    return notReady() ?? this.#changing(devices.rename(deviceId, name));
  }

  async remove(deviceId: string, asker?: Asker): Promise<Done> {
    const { devices, apps, audit, notReady } = this.#parts;
    if (asker !== undefined) audit.note(entryOf("device-removed", asker, deviceId));
    apps.settle(deviceId);
    const live = notReady() === undefined;
    return this.#changing(devices.remove(deviceId, Date.now(), live));
  }

  /** Ends every open socket, where there is a gateway that holds any. */
  async disconnectAll(): Promise<Done> {
    const { devices, notReady } = this.#parts;
    return notReady() === undefined ? devices.disconnectAll() : { ok: true };
  }

  /**
   * A start became ready, or was found so: the list it was begun with may be older than the record,
   * and the record counts. What did not arrive is tried again by `attend`.
   */
  async welcome(): Promise<void> {
    this.#parts.devices.begin();
    await this.attend();
    await this.approveVouched();
  }

  /** Looks whether the front port has the record. */
  async attend(): Promise<void> {
    const { devices, records, notReady } = this.#parts;
    if (notReady() !== undefined) return;
    const told = await devices.tell();
    if (told.ok || notReady() !== undefined) return;
    const text = `The list of approved devices did not reach the sandbox: ${told.reason}`;
    records.note("device", text, Date.now());
  }

  /** Approves those that wait and whose key is held by whoever had a pairing code. */
  async approveVouched(): Promise<void> {
    const { devices, apps, audit, notReady, changed } = this.#parts;
    if (notReady() !== undefined) return;
    await approveVouched(apps, devices, (entry) => {
      audit.note(entry);
      changed();
    });
  }

  /** The gateway let a device in that no admin approved; the front port has refused it. */
  flag(deviceId: string): void {
    if (this.#flagged.has(deviceId) || this.#flagged.size >= MAX_FLAGGED) return;
    this.#flagged.add(deviceId);
    const { audit, records, changed } = this.#parts;
    const text = `The gateway let device ${deviceId} in, which no admin approved. It was refused.`;
    records.note("unrecorded-device", text, Date.now());
    audit.note({ kind: "device-unrecorded", who: "", from: "", detail: deviceId, times: 1 });
    changed();
  }

  async #changing(work: Promise<Done>): Promise<Done> {
    const result = await work;
    this.#parts.changed();
    return result;
  }
}
