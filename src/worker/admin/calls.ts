/** What every call of the admin API shares: who asks, what is written down, how an answer looks. */
import type { Context } from "hono";
import type { AuditKind } from "../../protocol/admin-audit.ts";
import type { Endpoint } from "../../protocol/admin.ts";
import type { AgentCalls } from "../agent-calls.ts";
import type { PairingCodes } from "../apps/code.ts";
import type { BackupBucket } from "../backups/bucket.ts";
import { type Asker, entryOf } from "../audit/calls.ts";
import type { Config } from "../config.ts";
import { DeadlineError, within } from "../deadline.ts";
import type { Done, Ended } from "../done.ts";
import { call, fail } from "../json-call.ts";
import { jsonReply } from "../replies.ts";

export interface AdminCall {
  agent: AgentCalls;
  agentId: string;
  config: Config;
  codes: PairingCodes;
  /** Undefined when none is bound: then nothing is kept. */
  bucket: BackupBucket | undefined;
  /** Who is asking, for the record. */
  by: string;
  /** The address it comes from. */
  from: string;
  version: string;
}

export interface Bindings {
  Bindings: AdminCall;
}

export function askerOf({ by, from }: AdminCall): Asker {
  return { by, from };
}

/** A reply of the shape that the contract promises for the call. */
export function ok<Reply>(_endpoint: Endpoint<Reply>, body: Reply): Response {
  return jsonReply(200, body);
}

/** The outcome of an action; what was done is in the audit log before the answer is given. */
export async function done(
  admin: AdminCall,
  work: Promise<Ended>,
  kind: AuditKind,
  detail = "",
): Promise<Response> {
  try {
    return await written(admin, await call(work), kind, detail);
  } catch (error) {
    // It may happen all the same.
    if (error instanceof DeadlineError) await record(admin, kind, unfinished(detail));
    throw error;
  }
}

async function written(
  admin: AdminCall,
  result: Ended,
  kind: AuditKind,
  detail: string,
): Promise<Response> {
  const loss = lossOf(result);
  if (result.ok) await record(admin, kind, `${detail} ${loss}`.trim());
  // Not what was asked for, and yet a state is gone by it.
  else if (loss !== "") {
    await record(admin, kind, `${detail} (refused: ${result.reason}) ${loss}`.trim());
  }
  return reply(result);
}

function reply(result: Ended): Response {
  if (!result.ok) return fail(409, "refused", `${result.reason} ${lossOf(result)}`.trim());
  const { unkept } = result;
  return jsonReply(200, { ok: true, ...(unkept === undefined ? {} : { unkept }) });
}

/** What was lost on the way, whatever became of the rest. */
function lossOf({ unkept }: Ended): string {
  return unkept === undefined ? "" : `(the state before it was not kept: ${unkept})`;
}

function unfinished(detail: string): string {
  return `${detail} (still under way)`.trim();
}

export function record(admin: AdminCall, kind: AuditKind, detail = ""): Promise<void> {
  return call(admin.agent.audit.record([entryOf(kind, askerOf(admin), detail)]));
}

/** The answer to a question that only a sandbox can answer, and there may be none. */
export async function ofSandbox<T>(
  work: Promise<T>,
  answer: (value: T) => Response,
): Promise<Response> {
  let value: T;
  try {
    value = await call(work);
  } catch (error) {
    if (error instanceof DeadlineError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return fail(503, "agent_unavailable", reason);
  }
  return answer(value);
}

const LASTING_DEADLINE_MS = 30_000;

/** Work that goes on in the Durable Object when it takes longer; the status follows it. */
export async function lasting(
  { env }: Context<Bindings>,
  work: Promise<Ended>,
  kind: AuditKind,
  detail = "",
): Promise<Response> {
  try {
    return await written(env, await within("the agent", LASTING_DEADLINE_MS, work), kind, detail);
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    await record(env, kind, unfinished(detail));
    return jsonReply(202, { ok: true, pending: true });
  }
}

/** The same for what the Durable Object writes down itself, before it does it. */
export async function lastingOwn(work: Promise<Done>): Promise<Response> {
  try {
    return reply(await within("the agent", LASTING_DEADLINE_MS, work));
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    return jsonReply(202, { ok: true, pending: true });
  }
}
