import type { BackupSettings } from "../../protocol/backup.ts";
import type { BootDocument } from "../../protocol/boot.ts";
import type { SupervisorStatus } from "../../protocol/control.ts";
import { CONTROL_PROTOCOL } from "../../protocol/names.ts";
import { type Budget, messageOf, pause } from "./budget.ts";
import type { ControlPort } from "./control.ts";
import type { Sandbox } from "./sandbox.ts";

export interface StartParts {
  sandbox: Sandbox;
  control: ControlPort;
  budget: Budget;
  document: BootDocument;
  /** Makes this start the only one that may commit; undefined when nothing is kept at all. */
  claimBackups(startGeneration: number): Promise<ClaimedBackups>;
  /** Ends the attempt at its next step. */
  signal: AbortSignal;
  /** Called as each step is done. */
  reached(step: "answered" | "restored"): void;
  onStatus(status: SupervisorStatus): void;
  onExit(): void;
}

export type StartResult = { ok: true } | { ok: false; reason: string };

export type ClaimedBackups =
  | { ok: true; backups: BackupSettings | undefined }
  | { ok: false; reason: string };

const ABORTED: StartResult = { ok: false, reason: "The start was called off." };

/** One start from nothing to a gateway that is ready. Leaves cleaning up to the caller. */
export async function startSandbox(parts: StartParts): Promise<StartResult> {
  const { sandbox, control, document, signal } = parts;
  // A sandbox left by an earlier start holds an older generation: it is nobody's.
  const cleared = await sandbox.destroy();
  if (!cleared.ok) return cleared;
  if (signal.aborted) return ABORTED;
  try {
    await sandbox.start(document.startGeneration, signal, () => parts.onExit());
  } catch (error) {
    return { ok: false, reason: `The sandbox could not be started: ${messageOf(error)}` };
  }

  const answered = await answer(parts);
  if (!answered.ok) return answered;
  parts.reached("answered");

  const claimed = await parts.claimBackups(document.startGeneration);
  if (!claimed.ok) return claimed;
  if (signal.aborted) return ABORTED;
  const { backups } = claimed;
  const boot = await control.boot(backups === undefined ? document : { ...document, backups });
  if (!boot.ok) return { ok: false, reason: (await sandbox.lastWords()) ?? boot.reason };
  if (signal.aborted) return ABORTED;
  parts.reached("restored");

  return awaitReady(parts);
}

/** Polls until the supervisor answers, is known to be gone, or the time is up. */
async function answer({ sandbox, control, budget, signal }: StartParts): Promise<StartResult> {
  const deadline = Date.now() + budget.answer;
  let last = "";
  while (Date.now() < deadline) {
    const hello = await control.hello();
    if (signal.aborted) return ABORTED;
    if (hello.ok) {
      const { protocol, state } = hello.value;
      // One release back is served: a deploy meets sandboxes whose image is not rolled yet.
      if (protocol < CONTROL_PROTOCOL - 1 || protocol > CONTROL_PROTOCOL) {
        const own = `this Worker ${CONTROL_PROTOCOL}`;
        return { ok: false, reason: `The sandbox speaks protocol ${protocol}, ${own}.` };
      }
      if (state !== "idle") return { ok: false, reason: "The new sandbox was booted already." };
      return { ok: true };
    }
    last = hello.reason;
    if (sandbox.exit !== undefined) return { ok: false, reason: sandbox.exit.text };
    if (!sandbox.running) {
      const words = await sandbox.lastWords();
      return { ok: false, reason: words ?? "The sandbox ended before it answered." };
    }
    await pause(budget.helloPause);
  }
  const waited = `within ${budget.answer / 1000} s`;
  return { ok: false, reason: `The supervisor did not answer ${waited}: ${last}` };
}

export type ReadyParts = Pick<StartParts, "sandbox" | "control" | "budget" | "signal" | "onStatus">;

/** Follows a booted supervisor until its gateway is ready or has failed. */
export async function awaitReady(parts: ReadyParts): Promise<StartResult> {
  const { sandbox, control, budget, signal } = parts;
  const ms = budget.gateway + budget.gatewayGrace;
  const deadline = Date.now() + ms;
  let lastError = "";
  while (Date.now() < deadline && !signal.aborted) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(deadline - Date.now())]);
    try {
      for await (const status of control.events(limit)) {
        parts.onStatus(status);
        lastError = status.gateway.lastError ?? lastError;
        if (status.gateway.state === "ready") return { ok: true };
        if (status.gateway.state === "failed" || status.gateway.state === "stopped") {
          return { ok: false, reason: lastError === "" ? "The gateway failed." : lastError };
        }
      }
    } catch (error) {
      if (lastError === "" && !limit.aborted) lastError = messageOf(error);
    }
    if (signal.aborted) return ABORTED;
    const ended = await sandbox.lastWords();
    if (ended !== undefined) return { ok: false, reason: `${ended} ${lastError}`.trim() };
    if (!sandbox.running) return { ok: false, reason: `The sandbox ended. ${lastError}`.trim() };
  }
  if (signal.aborted) return ABORTED;
  const reason = `The gateway did not become ready within ${ms / 1000} s.`;
  return { ok: false, reason: [reason, lastError].join(" ").trim() };
}
