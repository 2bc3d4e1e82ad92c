/**
 * Devices whose key is held by whoever had a pairing code: approved as soon as they ask, in the name
 * of the admin who made the code.
 */
import type { AppsRoom } from "../apps/room.ts";
import type { NewAuditEntry } from "../audit/calls.ts";
import type { Devices } from "./devices.ts";

export async function approveVouched(
  apps: AppsRoom,
  devices: Devices,
  record: (entry: NewAuditEntry) => void,
): Promise<void> {
  const vouched = new Map(apps.vouchedDevices().map(({ deviceId, by }) => [deviceId, by]));
  if (vouched.size === 0) return;
  const list = await devices.list(Date.now());
  if (!list.ok) return;
  for (const { deviceId } of list.pending) {
    const by = vouched.get(deviceId);
    if (by === undefined) continue;
    const done = await devices.approve(deviceId, by, Date.now());
    if (!done.ok) continue;
    apps.settle(deviceId);
    const detail = `${deviceId} by its pairing code`;
    record({ kind: "device-approved", who: by, from: "", detail, times: 1 });
  }
}
