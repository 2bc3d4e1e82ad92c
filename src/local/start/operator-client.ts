/** Calls to the operator Worker, each with a deadline. */
import type { Miniflare } from "miniflare";
import * as z from "zod";
import { PHASES } from "../../protocol/phase.ts";

const status = z.object({
  phase: z.enum(PHASES),
  startGeneration: z.number(),
  timings: z.array(z.object({ phase: z.enum(PHASES), ms: z.number() })),
  lastError: z.string().optional(),
  retryAt: z.number().optional(),
});
export type OperatorStatus = z.infer<typeof status>;

const done = z.union([
  z.object({ ok: z.literal(true) }),
  z.object({ ok: z.literal(false), reason: z.string() }),
]);
export type OperatorDone = z.infer<typeof done>;

export interface Operator {
  status(): Promise<OperatorStatus>;
  call(name: "start" | "stop" | "restart" | "lookAfter", deadlineMs: number): Promise<OperatorDone>;
}

const STATUS_DEADLINE_MS = 5000;

export interface OperatorParts {
  miniflare: () => Miniflare;
  worker: string;
  agentId: string;
  /**
   * Whether workerd answers. At its first call Miniflare asks workerd what the operator is, and this process stands
   * still meanwhile: without an answer for ever.
   */
  answers: () => Promise<boolean>;
}

export function operatorOf({ miniflare, worker, agentId, answers }: OperatorParts): Operator {
  async function ask(call: string, deadlineMs: number): Promise<unknown> {
    const answer = async () => {
      if (!(await answers())) throw new Error("workerd gives no answer");
      const target = await miniflare().getWorker(worker);
      const reply = await target.fetch(`http://operator/${agentId}/${call}`);
      return await reply.json();
    };
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`no answer to "${call}" within ${deadlineMs} ms`)),
      deadlineMs,
    );
    try {
      return await Promise.race([answer(), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }
  return {
    async status() {
      return status.parse(await ask("status", STATUS_DEADLINE_MS));
    },
    async call(name, deadlineMs) {
      try {
        return done.parse(await ask(name, deadlineMs));
      } catch (error) {
        return { ok: false, reason: error instanceof Error ? error.message : String(error) };
      }
    },
  };
}
