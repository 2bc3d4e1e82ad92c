/** What starting and stopping an agent needs of its other parts. */
import type { SupervisorStatus } from "../../protocol/control.ts";
import type { ParsedConfig } from "../config.ts";
import type { Done } from "../done.ts";
import type { LastBackup } from "./backups/last-backup.ts";
import type { Budget } from "./budget.ts";
import type { ControlPort } from "./control.ts";
import type { Next } from "./keep-alive.ts";
import type { Life } from "./lifecycle.ts";

/** @see AgentLife */
interface PoweredLife {
  readonly life: Life;
  readonly phase: Life["phase"];
  readonly supervisor: SupervisorStatus | undefined;
  readonly lost: string | undefined;
  readonly ending: Promise<void> | undefined;
  adopt(atOnce: boolean): Promise<void>;
  reconcile(): void;
  observe(status: SupervisorStatus): void;
  want(): Promise<Done>;
  drain(atOnce?: boolean): Promise<void>;
  fail(reason: string): Promise<void>;
}

export interface PowerParts {
  life: PoweredLife;
  wakefulness: { touch(now: number): void; next(): Next; schedule(): Promise<void> };
  backups: {
    keep(): Promise<LastBackup>;
    suspend(): Promise<Done>;
  };
  control: Pick<ControlPort, "status" | "resume">;
  sandbox: { destroy(): Promise<Done> };
  /** Whether the panic button holds the agent, and since when. */
  panic: { readonly held: object | undefined };
  again: { readonly wanted: boolean; note(wanted: boolean): void };
  parsed: ParsedConfig;
  budget: Budget;
  alarm: { set(at: number): Promise<void> };
  /** A stop was refused, maybe long after whoever asked for it had been answered. */
  refused(reason: string): void;
}
