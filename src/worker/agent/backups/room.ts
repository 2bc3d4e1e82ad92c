/** What an admin does with the backups of one agent, in its Durable Object. */
import { RpcTarget } from "cloudflare:workers";
import type { AdminBackupCalls, BackupsReply, ExportPlanReply } from "../../backups/admin-calls.ts";
import type { Done, Ended } from "../../done.ts";
import type { AgentBackups } from "./agent-backups.ts";
import type { Power } from "../power.ts";

export class BackupsRoom extends RpcTarget implements AdminBackupCalls {
  readonly #backups: AgentBackups;
  readonly #power: Pick<Power, "notReady" | "rewritten">;

  constructor(backups: AgentBackups, power: Pick<Power, "notReady" | "rewritten">) {
    super();
    this.#backups = backups;
    this.#power = power;
  }

  async list(): Promise<BackupsReply> {
    return this.#backups.list();
  }

  async backUpNow(): Promise<Done & { generation?: number }> {
    return this.#power.notReady() ?? this.#backups.backUpNow();
  }

  async restore(generation: number): Promise<Ended> {
    return this.#power.rewritten(
      () => this.#backups.restoreTo(generation),
      () => this.#backups.mayRestoreTo(generation),
    );
  }

  async startAfresh(): Promise<Ended> {
    return this.#power.rewritten(
      () => this.#backups.startAfresh(),
      () => this.#backups.mayStartAfresh(),
    );
  }

  async verify(which?: number | "all"): Promise<Done> {
    return this.#power.notReady() ?? this.#backups.verify(which);
  }

  async prune(): Promise<Done> {
    return this.#backups.prune();
  }

  async exportPlan(generation: number): Promise<ExportPlanReply> {
    return this.#backups.exportPlan(generation);
  }

  async takeRecoveryKit(): Promise<Done> {
    return this.#backups.takeRecoveryKit();
  }
}
