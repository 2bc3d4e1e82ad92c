import * as z from "zod";
import { backupStatus, restorePlan } from "./backup.ts";

/**
 * The supervisor's control port, as the Durable Object sees it.
 *
 * | route | does |
 * |---|---|
 * | `GET /v1/hello` | the only open route: protocol and state |
 * | `POST /v1/boot` | takes the boot document, once; answers `SupervisorStatus` |
 * | `GET /v1/status` | `SupervisorStatus` |
 * | `GET /v1/events` | server-sent events, one `SupervisorStatus` a change, the present one first |
 * | `POST /v1/rpc` | one gateway call over the operator connection |
 * | `PUT /v1/devices` | replaces the list of approved devices |
 * | `GET /v1/logs?source=gateway|supervisor&after=n` | the log ring |
 * | `GET /v1/processes` | what runs in the sandbox |
 * | `POST /v1/backup` | commits now what has changed; answers `BackupReply` |
 * | `POST /v1/drill` | restores a generation into a scratch folder and checks it; answers `DrillReply` |
 * | `POST /v1/suspend` | quiets the gateway and keeps its state; answers `SuspendReply` |
 * | `POST /v1/resume` | ends that quiet |
 * | `POST /v1/deliver` | posts to one of the gateway's listeners; answers `DeliverReply` |
 * | `POST /v1/mark` | a mark after all that is on the gateway's disk; answers `MarkReply` |
 * | `POST /v1/stop` | stops the gateway gracefully; answers `SupervisorStatus` when it is gone |
 *
 * Every route but `hello` and the first `boot` takes `Authorization: Bearer <controlToken>`.
 */
export const helloReply = z.object({
  protocol: z.number().int().positive(),
  state: z.enum(["idle", "booted"]),
  /** The generation the supervisor was booted with; absent while idle. */
  startGeneration: z.number().int().positive().optional(),
});
export type HelloReply = z.infer<typeof helloReply>;

/** What the gateway process is doing, as the supervisor knows it. */
export const gatewayState = z.enum([
  "idle",
  "starting",
  "ready",
  "backoff",
  "stopping",
  "stopped",
  "failed",
]);
export type GatewayState = z.infer<typeof gatewayState>;

export const supervisorStatus = z.object({
  protocol: z.number().int().positive(),
  agentId: z.string(),
  startGeneration: z.number().int().positive(),
  gateway: z.object({
    state: gatewayState,
    /** How often the gateway was started again by the supervisor since boot. */
    restarts: z.number().int().nonnegative(),
    /** The real last error: exit code or signal, and the tail of its output. */
    lastError: z.string().max(4000).optional(),
    /** Milliseconds from spawn to ready of the latest start. */
    readyMs: z.number().optional(),
    version: z.string().optional(),
  }),
  /** How the gateway is kept apart from the supervisor; when no way works it is not started. */
  isolation: z.enum(["setuid", "userns", "none", "unavailable"]),
  /** What the sandbox runs on and is made of; absent from a supervisor of an older release. */
  sandbox: z.object({ engine: z.string().max(64), image: z.string().max(256) }).optional(),
  /** Resident memory in bytes. */
  memory: z.object({ supervisor: z.number(), gateway: z.number().optional() }),
  uptimeMs: z.number(),
  /** Open client sockets through the front port, and HTTP requests under way. */
  connections: z.number().int().nonnegative(),
  /** Turns the gateway is working on; undefined when it could not be asked. */
  busy: z.boolean().optional(),
  /** Absent when no bucket is bound. */
  backups: backupStatus.optional(),
  /** The newest mark that a committed backup holds. */
  keptMark: z.number().int().nonnegative().optional(),
  /** When the next scheduled job is due; null when there is none, absent when that is not known. */
  nextDue: z.number().nullable().optional(),
});
export type SupervisorStatus = z.infer<typeof supervisorStatus>;

/** Gateway calls that the admin API may make through the operator connection. */
export const RPC_METHODS = [
  "device.pair.list",
  "device.pair.approve",
  "device.pair.reject",
  "device.pair.rename",
  "device.pair.remove",
  "device.token.revoke",
  "system.info",
  "channels.pairing.list",
  "channels.pairing.approve",
  "channels.pairing.dismiss",
  "channels.status",
  "channels.start",
] as const;

export const rpcRequest = z.strictObject({
  method: z.enum(RPC_METHODS),
  params: z.record(z.string(), z.unknown()).default({}),
});
export type RpcRequest = z.infer<typeof rpcRequest>;

export const rpcReply = z.union([
  z.object({ ok: z.literal(true), result: z.unknown() }),
  z.object({
    ok: z.literal(false),
    error: z.object({ code: z.string(), message: z.string(), details: z.unknown().optional() }),
  }),
]);
export type RpcReply = z.infer<typeof rpcReply>;

export const logLine = z.object({
  /** Position in the ring; grows by one a line. */
  n: z.number().int().nonnegative(),
  /** Milliseconds since the epoch. */
  at: z.number(),
  source: z.enum(["gateway", "supervisor"]),
  level: z.enum(["debug", "info", "warn", "error"]),
  text: z.string(),
});
export type LogLine = z.infer<typeof logLine>;

/**
 * `POST http://control.moltworker.internal/v1/report`, with the control token as Bearer. The
 * supervisor sends one on each change and one a minute.
 */
export const report = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("status"), status: supervisorStatus }),
  /** The gateway let a device in that no admin approved; the front port refused it. */
  z.object({
    kind: z.literal("unrecorded-device"),
    startGeneration: z.number().int().positive(),
    deviceId: z.string().max(128),
  }),
  /** A device asks to be paired, or was answered: the list of devices changed. */
  z.object({ kind: z.literal("pairing"), startGeneration: z.number().int().positive() }),
]);
export type Report = z.infer<typeof report>;

/** `PUT /v1/devices`. */
export const devicesUpdate = z.strictObject({
  approvedDevices: z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(1000),
});

/** `POST /v1/stop`: how long the gateway may take to finish what it does. */
export const stopRequest = z.strictObject({
  deadlineMs: z.number().int().positive().max(600_000).default(20_000),
});

/** The query of `GET /v1/logs`. */
export const logsQuery = z.object({
  source: z.enum(["gateway", "supervisor"]).optional(),
  after: z.coerce.number().int().nonnegative().optional(),
});

/** `GET /v1/logs`. */
export const logsReply = z.object({ lines: z.array(logLine) });

export const backupReply = z.union([
  /** `made` is false when nothing had changed: then `generation` is the newest there was. */
  z.object({ ok: z.literal(true), made: z.boolean(), generation: z.number().int().nonnegative() }),
  z.object({ ok: z.literal(false), reason: z.string(), message: z.string() }),
]);
export type BackupReply = z.infer<typeof backupReply>;

/**
 * Whether the agent may be put to sleep: its gateway takes no new work any more and all of its state
 * is kept. After a refusal the gateway goes on as before.
 */
export const suspendReply = z.union([
  z.object({ ok: z.literal(true) }),
  z.object({ ok: z.literal(false), reason: z.enum(["busy", "not-kept"]), message: z.string() }),
]);
export type SuspendReply = z.infer<typeof suspendReply>;

export const drillRequest = z.strictObject({ plan: restorePlan });

export const drillReply = z.union([
  z.object({
    ok: z.literal(true),
    generation: z.number().int(),
    bytes: z.number(),
    ms: z.number(),
  }),
  z.object({ ok: z.literal(false), message: z.string() }),
]);
export type DrillReply = z.infer<typeof drillReply>;

/** `POST /v1/deliver`. */
export const deliverRequest = z.strictObject({
  /** The gateway's own HTTP port, or its listener for Telegram's updates. */
  listener: z.enum(["gateway", "telegram"]),
  path: z.string().regex(/^\/[\x21-\x7e]*$/),
  headers: z.record(z.string().regex(/^[a-z0-9-]{1,64}$/), z.string().max(8192)),
  body: z.string(),
});
export type DeliverRequest = z.infer<typeof deliverRequest>;

export const deliverReply = z.union([
  z.object({
    ok: z.literal(true),
    status: z.number().int(),
    headers: z.record(z.string(), z.string()),
    body: z.string(),
  }),
  z.object({ ok: z.literal(false), message: z.string() }),
]);
export type DeliverReply = z.infer<typeof deliverReply>;

/** `POST /v1/mark`. */
export const markReply = z.object({ mark: z.number().int().positive() });

/** Processes in the sandbox, without their arguments. */
export const processInfo = z.object({
  pid: z.number().int(),
  name: z.string(),
  rss: z.number(),
  cpuSeconds: z.number(),
});
export type ProcessInfo = z.infer<typeof processInfo>;

/** `GET /v1/processes`. */
export const processesReply = z.object({ processes: z.array(processInfo) });
