import type { RefusedHost } from "../../../protocol/admin.ts";
import type { AgentEvent } from "../../../protocol/agent.ts";
import type { Sql } from "./schema.ts";

/** What is kept at most; the boot document takes no more devices either. */
const MAX_DEVICES = 1000;
const MAX_REFUSED_HOSTS = 500;
const MAX_EVENTS = 500;
const MAX_EVENT_TEXT = 4000;

export interface DeviceRecord {
  deviceId: string;
  name?: string;
  approvedAt: number;
  approvedBy: string;
}

interface DeviceRow extends Record<string, string | number | null> {
  device_id: string;
  name: string | null;
  approved_at: number;
  approved_by: string;
}

/** Approved devices, refused hosts, settings and events of one agent. */
export class RecordStore {
  readonly #sql: Sql;
  readonly #agentId: string;

  constructor(sql: Sql, agentId: string) {
    this.#sql = sql;
    this.#agentId = agentId;
  }

  devices(): DeviceRecord[] {
    return this.#sql
      .exec<DeviceRow>(
        "SELECT * FROM agent_devices WHERE agent_id = ? ORDER BY approved_at, device_id",
        this.#agentId,
      )
      .toArray()
      .map(deviceOf);
  }

  /** False when there are as many devices as one agent may have. */
  putDevice(device: DeviceRecord): boolean {
    if (
      this.devices().filter(({ deviceId }) => deviceId !== device.deviceId).length >= MAX_DEVICES
    ) {
      return false;
    }
    this.#sql.exec(
      `INSERT INTO agent_devices (agent_id, device_id, name, approved_at, approved_by)
       VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET name = excluded.name, approved_at = excluded.approved_at,
         approved_by = excluded.approved_by`,
      this.#agentId,
      device.deviceId,
      device.name ?? null,
      device.approvedAt,
      device.approvedBy,
    );
    return true;
  }

  nameDevice(deviceId: string, name: string): void {
    this.#sql.exec(
      "UPDATE agent_devices SET name = ? WHERE agent_id = ? AND device_id = ?",
      name,
      this.#agentId,
      deviceId,
    );
  }

  removeDevice(deviceId: string): void {
    this.#sql.exec(
      "DELETE FROM agent_devices WHERE agent_id = ? AND device_id = ?",
      this.#agentId,
      deviceId,
    );
  }

  countRefused(host: string, times: number, now: number): void {
    this.#sql.exec(
      `INSERT INTO agent_refused_hosts (agent_id, host, times, first_at, last_at)
       VALUES (?1, ?2, ?3, ?4, ?4)
       ON CONFLICT DO UPDATE SET times = times + excluded.times, last_at = excluded.last_at`,
      this.#agentId,
      host,
      times,
      now,
    );
    // The agent chooses the names: the ones refused longest ago make room.
    this.#sql.exec(
      `DELETE FROM agent_refused_hosts WHERE agent_id = ?1 AND host IN (
         SELECT host FROM agent_refused_hosts WHERE agent_id = ?1
         ORDER BY last_at DESC, host LIMIT -1 OFFSET ?2)`,
      this.#agentId,
      MAX_REFUSED_HOSTS,
    );
  }

  refusedHosts(): RefusedHost[] {
    return this.#sql
      .exec<{ host: string; times: number; last_at: number }>(
        `SELECT host, times, last_at FROM agent_refused_hosts
         WHERE agent_id = ? ORDER BY last_at DESC, host`,
        this.#agentId,
      )
      .toArray()
      .map((row) => ({ host: row.host, times: row.times, lastAt: row.last_at }));
  }

  setting(name: string): string | undefined {
    return this.#sql
      .exec<{ value: string }>(
        "SELECT value FROM agent_settings WHERE agent_id = ? AND name = ?",
        this.#agentId,
        name,
      )
      .toArray()[0]?.value;
  }

  /** Undefined takes the setting away, so that the configuration's counts again. */
  setSetting(name: string, value: string | undefined): void {
    if (value === undefined) {
      this.#sql.exec(
        "DELETE FROM agent_settings WHERE agent_id = ? AND name = ?",
        this.#agentId,
        name,
      );
      return;
    }
    this.#sql.exec(
      `INSERT INTO agent_settings (agent_id, name, value) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET value = excluded.value`,
      this.#agentId,
      name,
      value,
    );
  }

  note(kind: AgentEvent["kind"], text: string, now: number): void {
    this.#sql.exec(
      `INSERT INTO agent_events (agent_id, n, at, kind, text)
       SELECT ?1, COALESCE(MAX(n), 0) + 1, ?2, ?3, ?4 FROM agent_events WHERE agent_id = ?1`,
      this.#agentId,
      now,
      kind,
      text.slice(0, MAX_EVENT_TEXT),
    );
    this.#sql.exec(
      `DELETE FROM agent_events WHERE agent_id = ?1
         AND n <= (SELECT MAX(n) FROM agent_events WHERE agent_id = ?1) - ?2`,
      this.#agentId,
      MAX_EVENTS,
    );
  }

  /** The latest events, newest first. */
  events(limit: number): AgentEvent[] {
    return this.#sql
      .exec<{ n: number; at: number; kind: AgentEvent["kind"]; text: string }>(
        "SELECT n, at, kind, text FROM agent_events WHERE agent_id = ? ORDER BY n DESC LIMIT ?",
        this.#agentId,
        limit,
      )
      .toArray();
  }
}

function deviceOf(row: DeviceRow): DeviceRecord {
  const { device_id: deviceId, approved_at: approvedAt, approved_by: approvedBy, name } = row;
  return { deviceId, ...(name === null ? {} : { name }), approvedAt, approvedBy };
}
