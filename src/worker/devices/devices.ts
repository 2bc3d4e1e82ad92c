/**
 * Devices: the gateway pairs them, an admin approves them, and the approval is recorded here, where
 * the agent cannot write. Fails closed: an approval whose record did not reach the front port, or
 * that the gateway refused, is taken back.
 */
import * as z from "zod";
import type { PairedDevice, PendingDevice } from "../../protocol/admin-devices.ts";
import type { RpcRequest } from "../../protocol/control.ts";
import type { ControlPort } from "../agent/control.ts";
import type { RecordStore } from "../agent/store/records.ts";
import type { Done } from "../done.ts";
import type { DevicesReply } from "./calls.ts";

const DEVICE_ID = /^[0-9a-f]{64}$/;
const BAD_ID: Done = { ok: false, reason: "A device id is 64 lowercase hexadecimal digits." };

/** The gateway's answer to `device.pair.list`, as far as it is used here. */
const pairList = z.object({
  pending: z
    .array(
      z.object({
        requestId: z.string(),
        deviceId: z.string(),
        displayName: z.string().optional(),
        platform: z.string().optional(),
        remoteIp: z.string().optional(),
        ts: z.number().optional(),
      }),
    )
    .default([]),
  paired: z
    .array(
      z.object({
        deviceId: z.string(),
        displayName: z.string().optional(),
        operatorLabel: z.string().optional(),
        platform: z.string().optional(),
        approvedAtMs: z.number().optional(),
        lastSeenAtMs: z.number().optional(),
        /** A socket of it is open. */
        connected: z.boolean().optional(),
        tokens: z.array(z.object({ lastUsedAtMs: z.number().optional() })).optional(),
      }),
    )
    .default([]),
});
type PairList = z.infer<typeof pairList>;

export class Devices {
  readonly #control: ControlPort;
  readonly #records: RecordStore;
  /** One change at a time, so that the list pushed last is the list recorded last. */
  #turn: Promise<unknown> = Promise.resolve();
  /** The front port of the present start has what is recorded. */
  #told = false;

  constructor(control: ControlPort, records: RecordStore) {
    this.#control = control;
    this.#records = records;
  }

  async list(now: number): Promise<DevicesReply> {
    const list = await this.#pairList();
    if (!list.ok) return list;
    const records = new Map(this.#records.devices().map((record) => [record.deviceId, record]));
    const paired = list.value.paired.map((device): PairedDevice => {
      const record = records.get(device.deviceId);
      const name = record?.name ?? device.operatorLabel ?? device.displayName;
      const lastSeenAt = lastSeen(device, now);
      return {
        deviceId: device.deviceId,
        ...(name === undefined ? {} : { name }),
        ...(device.platform === undefined ? {} : { platform: device.platform }),
        ...(record === undefined
          ? {}
          : { approvedAt: record.approvedAt, approvedBy: record.approvedBy }),
        ...(lastSeenAt === undefined ? {} : { lastSeenAt }),
        recorded: record !== undefined,
      };
    });
    return { ok: true, pending: list.value.pending.map(pendingDevice), paired };
  }

  approve(deviceId: string, by: string, now: number): Promise<Done> {
    return this.#inTurn(async () => {
      if (!DEVICE_ID.test(deviceId)) return BAD_ID;
      const list = await this.#pairList();
      if (!list.ok) return list;
      const pending = newest(list.value, deviceId);
      const paired = list.value.paired.some((device) => device.deviceId === deviceId);
      if (pending === undefined && !paired) {
        return { ok: false, reason: "No request of that device is pending." };
      }
      const before = this.#records.devices().find((record) => record.deviceId === deviceId);
      const name = before?.name ?? pending?.displayName;
      const recorded = this.#records.putDevice({
        deviceId,
        ...(name === undefined ? {} : { name }),
        approvedAt: now,
        approvedBy: by,
      });
      if (!recorded) return { ok: false, reason: "There are too many devices. Remove one first." };
      const done = await this.#letIn(pending?.requestId);
      if (done.ok) {
        this.#records.note("device", `${by} approved device ${deviceId}.`, now);
        return done;
      }
      if (before === undefined) this.#records.removeDevice(deviceId);
      else this.#records.putDevice(before);
      const back = await this.#push();
      return back.ok ? done : { ok: false, reason: `${done.reason} ${back.reason}` };
    });
  }

  reject(deviceId: string, by: string, now: number): Promise<Done> {
    return this.#inTurn(async () => {
      if (!DEVICE_ID.test(deviceId)) return BAD_ID;
      const list = await this.#pairList();
      if (!list.ok) return list;
      const pending = newest(list.value, deviceId);
      if (pending === undefined) {
        return { ok: false, reason: "No request of that device is pending." };
      }
      const { requestId } = pending;
      const done = await this.#rpc({ method: "device.pair.reject", params: { requestId } });
      if (done.ok) this.#records.note("device", `${by} rejected device ${deviceId}.`, now);
      return done;
    });
  }

  rename(deviceId: string, name: string): Promise<Done> {
    return this.#inTurn(async () => {
      if (!DEVICE_ID.test(deviceId)) return BAD_ID;
      const params = { deviceId, label: name };
      const done = await this.#rpc({ method: "device.pair.rename", params });
      if (done.ok) this.#records.nameDevice(deviceId, name);
      return done;
    });
  }

  /**
   * The record goes first and for good: from then on the front port refuses the device, and whatever
   * the gateway answers, the next boot does not know it. Works while the sandbox is stopped, too.
   */
  remove(deviceId: string, now: number, live: boolean): Promise<Done> {
    return this.#inTurn(async () => {
      if (!DEVICE_ID.test(deviceId)) return BAD_ID;
      this.#records.removeDevice(deviceId);
      this.#records.note("device", `Device ${deviceId} was removed.`, now);
      if (!live) return { ok: true };
      const pushed = await this.#push();
      if (!pushed.ok) return pushed;
      return this.#rpc({ method: "device.pair.remove", params: { deviceId } });
    });
  }

  /** Ends every open socket: with nobody approved the front port ends them, then the list is put back. */
  disconnectAll(): Promise<Done> {
    return this.#inTurn(async () => {
      this.#told = false;
      const emptied = asDone(await this.#control.putDevices([]));
      const back = await this.#push();
      return emptied.ok ? back : emptied;
    });
  }

  /** What the front port has is as old as the start, which may have begun before the latest change. */
  begin(): void {
    this.#told = false;
  }

  /** Puts the record there, unless it is there. */
  tell(): Promise<Done> {
    return this.#inTurn(async () => (this.#told ? { ok: true } : this.#push()));
  }

  /** The record is at the front port before the gateway lets the device in. */
  async #letIn(requestId: string | undefined): Promise<Done> {
    const pushed = await this.#push();
    if (!pushed.ok || requestId === undefined) return pushed;
    return this.#rpc({ method: "device.pair.approve", params: { requestId } });
  }

  async #push(): Promise<Done> {
    this.#told = false;
    const ids = this.#records.devices().map(({ deviceId }) => deviceId);
    const done = asDone(await this.#control.putDevices(ids));
    this.#told = done.ok;
    return done;
  }

  async #rpc(request: RpcRequest): Promise<Done> {
    return asDone(await this.#control.rpc(request));
  }

  async #pairList(): Promise<{ ok: true; value: PairList } | { ok: false; reason: string }> {
    const reply = await this.#control.rpc({ method: "device.pair.list", params: {} });
    if (!reply.ok) return reply;
    const parsed = pairList.safeParse(reply.value);
    return parsed.success
      ? { ok: true, value: parsed.data }
      : { ok: false, reason: "The gateway's list of devices is not understood." };
  }

  #inTurn(work: () => Promise<Done>): Promise<Done> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn;
    return turn;
  }
}

/** A device that asks again has a new request; only the newest one can still be answered. */
function newest(list: PairList, deviceId: string): PairList["pending"][number] | undefined {
  return list.pending
    .filter((request) => request.deviceId === deviceId)
    .toSorted((a, b) => (b.ts ?? 0) - (a.ts ?? 0))[0];
}

function pendingDevice(request: PairList["pending"][number]): PendingDevice {
  return {
    deviceId: request.deviceId,
    ...(request.displayName === undefined ? {} : { name: request.displayName }),
    ...(request.platform === undefined ? {} : { platform: request.platform }),
    ...(request.ts === undefined ? {} : { requestedAt: request.ts }),
    ...(request.remoteIp === undefined ? {} : { address: request.remoteIp }),
  };
}

/** As far as the gateway knows; a device with an open socket is seen now. */
function lastSeen(device: PairList["paired"][number], now: number): number | undefined {
  if (device.connected === true) return now;
  const used = device.tokens?.map(({ lastUsedAtMs }) => lastUsedAtMs) ?? [];
  const known = [device.lastSeenAtMs, ...used].filter((at) => at !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

function asDone(reply: { ok: true } | { ok: false; reason: string }): Done {
  return reply.ok ? { ok: true } : { ok: false, reason: reply.reason };
}
