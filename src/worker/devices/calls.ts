/** What the Durable Object answers about paired devices. All of it is plain data. */
import type { PairedDevice, PendingDevice } from "../../protocol/admin-devices.ts";
import type { Asker } from "../audit/calls.ts";
import type { Done } from "../done.ts";

export type DevicesReply =
  | { ok: true; pending: PendingDevice[]; paired: PairedDevice[] }
  | { ok: false; reason: string };

export interface DeviceCalls {
  list(): Promise<DevicesReply>;
  approve(deviceId: string, by: string): Promise<Done>;
  reject(deviceId: string, by: string): Promise<Done>;
  rename(deviceId: string, name: string): Promise<Done>;
  /** Written down before it happens; without somebody who asks, whoever calls has done that. */
  remove(deviceId: string, asker?: Asker): Promise<Done>;
}
