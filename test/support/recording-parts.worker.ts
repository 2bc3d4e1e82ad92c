/** The product's own rooms as the recording agent opens them, and which of their calls it notes. */
import { AgentBackups } from "../../src/worker/agent/backups/agent-backups.ts";
import { ImportsRoom } from "../../src/worker/agent/backups/imports-room.ts";
import { BackupsRoom } from "../../src/worker/agent/backups/room.ts";
import { BUDGET } from "../../src/worker/agent/budget.ts";
import { ControlPort } from "../../src/worker/agent/control.ts";
import type { Power } from "../../src/worker/agent/power.ts";
import { RecordStore } from "../../src/worker/agent/store/records.ts";
import type { Sql } from "../../src/worker/agent/store/schema.ts";
import { AppsRoom } from "../../src/worker/apps/room.ts";
import { AuditLog } from "../../src/worker/audit/log.ts";
import { Panic } from "../../src/worker/audit/panic.ts";
import { AuditRoom } from "../../src/worker/audit/room.ts";
import { SecurityRoom } from "../../src/worker/audit/security-room.ts";
import { Sessions } from "../../src/worker/audit/sessions.ts";
import { BROWSER_LIMITS, BrowserRoom } from "../../src/worker/browser/room.ts";
import { configOf, secretsOf } from "../../src/worker/config.ts";
import type { Done } from "../../src/worker/done.ts";
import type { Env } from "../../src/worker/env.ts";
import { redactor, withoutCredentials } from "../../src/worker/redaction.ts";
import { recorded } from "./recorded.worker.ts";
import { RecordingDevices, RecordingEgress } from "./recording-rooms.worker.ts";

export interface RecordingEnv extends Env {
  WORKER_URL?: string;
}

export interface Surroundings {
  sql: Sql;
  env: RecordingEnv;
  /** The weeks behind the agent, when a bucket is bound. */
  kept: AgentBackups | undefined;
  saw(name: string, ...args: unknown[]): Done;
  /** Something was written to the audit log. */
  wrote(): void;
  changed(matter: "devices" | "audit"): void;
  rewritten: Power["rewritten"];
}

export type Rooms = ReturnType<typeof openRooms>;

export function openRooms({ sql, env, kept, saw, wrote, changed, rewritten }: Surroundings) {
  const parsed = configOf(env);
  const redact = redactor(parsed.ok ? secretsOf(parsed.config) : []);
  const records = new RecordStore(sql, "main");
  const panic = new Panic(records);
  const log = new AuditLog(sql, "main", (text) => withoutCredentials(redact(text)));
  const audit = new AuditRoom(log, () => {
    wrote();
    changed("audit");
  });
  const apps = new AppsRoom({
    sql,
    agentId: "main",
    now: Date.now,
    origins: () => (env.WORKER_URL ? [env.WORKER_URL] : []),
    record: (entry) => audit.note(entry),
    vouched: () => saw("vouched"),
    removed: async (deviceId) => saw("appRemoved", deviceId),
    changed: () => changed("devices"),
  });
  const security = new SecurityRoom({
    ...{ panic, audit, apps },
    sessions: new Sessions(sql, "main", records),
    endGuests: () => {},
    disconnectAll: async () => ({ ok: true }),
    destroy: async () => ({ ok: true }),
    changed: () => changed("audit"),
    released: () => {},
  });
  const browsing = parsed.ok ? parsed.config.browser : undefined;
  const browser = new BrowserRoom({
    sql,
    agentId: "main",
    binding: env.BROWSER,
    startGeneration: () => 3,
    outside: browsing?.secret !== undefined,
    dayCapMs: browsing?.dayCapMs,
    limits: BROWSER_LIMITS,
    now: Date.now,
  });
  const nobody = async () => new Response(null, { status: 503 });
  const control = new ControlPort(nobody, BUDGET, () => undefined);
  const backups = kept ?? new AgentBackups(env, "main", records, control, () => undefined);
  const power = { notReady: () => undefined, rewritten };
  return {
    ...{ panic, audit, apps, browser, security },
    noted: {
      devices: recorded("devices", new RecordingDevices(() => changed("devices")), saw),
      egress: recorded("egress", new RecordingEgress(panic), saw, ["refusedHosts"]),
      security: recorded("security", security, saw, ["overview", "noteSession"]),
      backups: recorded("backups", new BackupsRoom(backups, power), saw, ["list"]),
      imports: recorded("imports", new ImportsRoom(backups, power), saw, ["list"]),
    },
  };
}
