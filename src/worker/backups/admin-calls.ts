/** What the Durable Object answers to an admin about backups. All of it is plain data. */
import type { AdminBackups } from "../../protocol/admin-backups.ts";
import type { ImportView } from "../../protocol/import.ts";
import type { Done, Ended } from "../done.ts";
import type { ExportPlan } from "./export.ts";
import type { ImportSource } from "./imports.ts";
import type { Answer } from "./ledger.ts";

export type BackupsReply = AdminBackups | { ok: false; reason: string };

export type ExportPlanReply = { ok: true; plan: ExportPlan } | { ok: false; reason: string };

export interface AdminBackupCalls {
  list(): Promise<BackupsReply>;
  backUpNow(): Promise<Done & { generation?: number }>;
  /** Stops the agent with a last backup, makes the generation's content the newest, starts again. */
  restore(generation: number): Promise<Ended>;
  /** The same with nothing: the agent begins anew, and what was stays a generation. */
  startAfresh(): Promise<Ended>;
  /** Without a number the newest. */
  verify(which?: number | "all"): Promise<Done>;
  prune(): Promise<Done>;
  /** What an export of one generation reads. */
  exportPlan(generation: number): Promise<ExportPlanReply>;
  /** Leave to hand the recovery kit out: once for each key. */
  takeRecoveryKit(): Promise<Done>;
}

export interface AdminImportCalls {
  list(): Promise<Answer<ImportView[]>>;
  begin(name: string, bytes: number): Promise<Answer<ImportView>>;
  /** Where the part belongs in the bucket. */
  part(id: string, n: number, size: number): Promise<Answer<{ key: string }>>;
  stored(id: string, n: number): Promise<Answer<ImportView>>;
  source(id: string): Promise<Answer<ImportSource>>;
  /** Keeps the present state, stops the agent, and starts it with the archive's content. */
  apply(id: string): Promise<Ended>;
  drop(id: string): Promise<Done>;
}
