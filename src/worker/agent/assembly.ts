/**
 * How the parts of one agent are tied together. Each is made before what uses it; where two use each
 * other, the earlier one reaches the later by a function that is not called before all are there.
 */
import { SANDBOX_PORTS } from "../../protocol/names.ts";
import { entryOf } from "../audit/calls.ts";
import { AuditLog } from "../audit/log.ts";
import { Panic } from "../audit/panic.ts";
import { AuditRoom } from "../audit/room.ts";
import { SecurityRoom } from "../audit/security-room.ts";
import { Sessions } from "../audit/sessions.ts";
import type { Delivered, Delivery } from "../channels/channel.ts";
import { configOf, secretsOf } from "../config.ts";
import { Devices } from "../devices/devices.ts";
import { DevicesRoom } from "../devices/room.ts";
import type { Done } from "../done.ts";
import { EgressRoom } from "../egress/room.ts";
import { createLogger } from "../logger.ts";
import { redactor, withoutCredentials } from "../redaction.ts";
import { AgentBackups } from "./backups/agent-backups.ts";
import { AgentLife } from "./agent-life.ts";
import { Aftermath } from "./aftermath.ts";
import { AlarmClock } from "./alarm-clock.ts";
import { ImportsRoom } from "./backups/imports-room.ts";
import { BackupsRoom } from "./backups/room.ts";
import { BootDocuments } from "./boot-documents.ts";
import type { Budget } from "./budget.ts";
import { ControlPort } from "./control.ts";
import { Doorway } from "./doorway.ts";
import { DueRun } from "./due-run.ts";
import { Leftover } from "./leftover.ts";
import {
  openAppsRoom,
  openBrowserRoom,
  openChannelsRoom,
  openSpendRoom,
  type Surroundings,
} from "./open-rooms.ts";
import { outboundFor } from "./outbound-binding.ts";
import { Power } from "./power.ts";
import { Sandbox } from "./sandbox.ts";
import { StartAgain } from "./start-again.ts";
import { AgentSettings } from "./settings.ts";
import { StatusBoard } from "./status-board.ts";
import { LifeStore } from "./store/life.ts";
import { RecordStore } from "./store/records.ts";
import { migrate } from "./store/schema.ts";
import { newToken } from "./tokens.ts";
import { Wakefulness } from "./wakefulness.ts";

export type Parts = ReturnType<typeof assemble>;

export function assemble(surroundings: Surroundings, container: Container, budget: Budget) {
  const { ctx, env, agentId } = surroundings;
  const { sql } = ctx.storage;
  const waitUntil = (work: Promise<unknown>): void => ctx.waitUntil(work);
  const parsed = configOf(env);
  const secrets = parsed.ok ? secretsOf(parsed.config) : [];
  const redact = redactor(secrets);

  migrate(sql);
  const store = new LifeStore(sql, agentId);
  const records = new RecordStore(sql, agentId);
  const settings = new AgentSettings(records, parsed);
  const panic = new Panic(records);
  const due = new DueRun(records, () => store.slowestStart());

  const log = new AuditLog(sql, agentId, (text) => withoutCredentials(redact(text)));
  const audit = new AuditRoom(log, () => board.changed("audit"));
  const spend = openSpendRoom(surroundings, {
    held: () => panic.held !== undefined,
    tellOwner: (text) => channels.tellOwner(text),
    changed: () => board.changed("spend"),
  });
  const browser = openBrowserRoom(surroundings, () => life.life.startGeneration);
  const apps = openAppsRoom(surroundings, {
    origins: () => settings.origins,
    record: (entry) => audit.note(entry),
    vouched: () => waitUntil(devices.approveVouched()),
    removed: (deviceId) => appRemoved(deviceId),
    changed: () => board.changed("devices"),
  });
  const egress = new EgressRoom({
    ...{ records, panic },
    changed: () => board.changed("egress"),
  });

  const stored = store.read(Date.now(), newToken);
  const documents = new BootDocuments(
    {
      ...{ agentId, parsed, settings, store, records, budget },
      browser: env.BROWSER !== undefined,
      handedOver: () => channels.handedOver,
      primaryModel: () => spend.primary,
    },
    stored,
  );
  const outbound = (generation: number) => outboundFor(ctx.exports, agentId, generation);
  const sandbox = new Sandbox(container, outbound, budget);
  const controlPort = sandbox.port(SANDBOX_PORTS.control);
  const control = new ControlPort(controlPort, budget, () => documents.controlToken);
  const devices = new DevicesRoom({
    ...{ apps, audit, records },
    devices: new Devices(control, records),
    notReady: () => power.notReady(),
    changed: () => board.changed("devices"),
  });
  const backups = new AgentBackups(env, agentId, records, control, () => board.changed("backups"));
  const channels = openChannelsRoom(surroundings, {
    innerToken: documents.gatewayToken,
    readyStart: () => power.readyStart,
    takingStart: () => power.takingStart,
    look: () => power.look(),
    wake: () => power.wakeForMessages(),
    post: (delivery) => post(control, delivery),
    mark: async () => {
      const mark = await control.mark();
      return mark.ok ? mark.value : undefined;
    },
    call: (request) => control.rpc(request),
    touch: () => wakefulness.touch(Date.now()),
    alert: (text) => records.note("channel", text, Date.now()),
    changed: () => {
      board.changed("channels");
      waitUntil(wakefulness.schedule());
    },
  });

  const life = new AgentLife(
    {
      ...{ sandbox, control, store, records, budget },
      document: (generation) => documents.make(generation),
      claimBackups: (generation) => backups.claim(generation),
      lost: (reason) => backups.lost(reason),
      changed: () => aftermath.follow(),
    },
    stored.life,
  );
  const leftover = new Leftover(life, sandbox, records);
  const alarm = new AlarmClock(ctx.storage);
  const sleepAfter = () => settings.sleepAfter;
  const wakefulness = new Wakefulness(
    { store, budget, life, leftover, channels, due, panic, sleepAfter, alarm },
    stored.lastActivity,
  );
  const kept = env.BACKUPS !== undefined;
  const board = new StatusBoard({ agentId, life, store, kept, backups, channels, sleepAfter });
  const power = new Power({
    ...{ life, wakefulness, backups, control, sandbox, panic, parsed, budget, alarm },
    again: new StartAgain(records),
    refused: (reason) => audit.note(entryOf("stop-refused", { by: "", from: "" }, reason)),
  });
  const aftermath = new Aftermath({
    ...{ agentId, life, wakefulness, due, board, channels, devices, browser, waitUntil },
    log: createLogger(secrets),
  });
  const doorway = new Doorway({
    ...{ life, sandbox, budget, waitUntil },
    front: sandbox.port(SANDBOX_PORTS.front),
    wake: () => power.wake(),
    waitState: () => board.waitState(),
  });
  const security = new SecurityRoom({
    ...{ panic, audit, apps },
    sessions: new Sessions(sql, agentId, records),
    endGuests: () => board.endGuests(),
    disconnectAll: () => devices.disconnectAll(),
    destroy: () => power.destroy(),
    changed: () => board.changed("audit"),
    released: () => {
      channels.attend();
      waitUntil(wakefulness.schedule());
    },
  });

  /** Sockets do not say by which credential they were let in: all end, and the others come back. */
  async function appRemoved(deviceId: string | undefined): Promise<Done> {
    board.endGuests();
    const removed: Done = deviceId === undefined ? { ok: true } : await devices.remove(deviceId);
    const ended = await devices.disconnectAll();
    return removed.ok ? ended : removed;
  }

  return {
    ...{ settings, records, documents, panic, due, sandbox, control },
    ...{ life, leftover, wakefulness, board, power, doorway, alarm },
    rooms: {
      ...{ spend, browser, apps, channels, devices, audit, security, egress },
      backups: new BackupsRoom(backups, power),
      imports: new ImportsRoom(backups, power),
    },
    backups,
  };
}

async function post(control: ControlPort, delivery: Delivery): Promise<Delivered> {
  const reply = await control.deliver(delivery);
  if (!reply.ok) return { ok: false, reason: reply.reason };
  return reply.value.ok ? reply.value : { ok: false, reason: reply.value.message };
}
