/**
 * A quiet moment before a planned sleep. Fails towards staying awake: only an agent whose gateway
 * takes no new work and whose whole state is kept may sleep.
 *
 * The gateway's own lease ends by itself after two minutes, so one that nobody resumes is not lost.
 */
import * as z from "zod";
import type { RpcReply, SuspendReply } from "../protocol/control.ts";
import type { StateBackups } from "./backups/state-backups.ts";

export interface SuspensionParts {
  startGeneration: number;
  /** A call to the gateway. */
  call(method: string, params: Record<string, unknown>): Promise<RpcReply>;
  /** Undefined when no bucket is bound: then there is nothing to wait for. */
  backups(): StateBackups | undefined;
  /** Keeps all there is; answers the refusal's text when that did not work. */
  keep(): Promise<string | undefined>;
  /** Asks when the next job is due. @returns whether the gateway said it */
  askDue(): Promise<boolean>;
  /** Whether there is a gateway to be asked. */
  isConnected(): boolean;
}

export interface Suspension {
  suspend(): Promise<SuspendReply>;
  resume(): Promise<void>;
}

const prepared = z.union([
  z.object({ status: z.literal("ready"), suspensionId: z.string() }),
  z.object({ status: z.enum(["busy", "draining"]), reason: z.string().optional() }),
]);

export function createSuspension(parts: SuspensionParts): Suspension {
  let suspensionId: string | undefined;

  async function resume(): Promise<void> {
    if (suspensionId === undefined) return;
    await parts.call("gateway.suspend.resume", { suspensionId });
    suspensionId = undefined;
  }

  return {
    resume,
    async suspend() {
      // Of a suspended one nothing can be asked, and a job that was made a moment ago has to be known.
      if (!(await parts.askDue()) && parts.isConnected()) {
        return { ok: false, reason: "busy", message: "it does not say when its next job is due" };
      }
      const reply = await parts.call("gateway.suspend.prepare", {
        requestId: `sleep-of-start-${parts.startGeneration}`,
      });
      const answer = prepared.safeParse(reply.ok ? reply.result : undefined);
      if (answer.success && answer.data.status !== "ready") {
        return { ok: false, reason: "busy", message: answer.data.reason ?? answer.data.status };
      }
      // One that is gone has no work that could be lost: its state is what counts.
      if (!answer.success && parts.isConnected()) {
        const message = reply.ok ? "its answer is not understood" : reply.error.message;
        return { ok: false, reason: "busy", message: message.slice(0, 1000) };
      }
      if (answer.success && "suspensionId" in answer.data) suspensionId = answer.data.suspensionId;
      if (parts.backups() === undefined) return { ok: true };
      const problem = await parts.keep();
      if (problem === undefined) return { ok: true };
      await resume();
      return { ok: false, reason: "not-kept", message: problem.slice(0, 1000) };
    },
  };
}
