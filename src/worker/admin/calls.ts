/** What every call of the admin API shares: who asks, what is written down, how an answer looks. */
import type { Context } from "hono";
import type { AuditKind, Endpoint } from "../../protocol/admin.ts";
import type { AgentCalls } from "../agent-calls.ts";
import type { PairingCodes } from "../apps/code.ts";
import type { BackupBucket } from "../backups/bucket.ts";
import type { Config } from "../config.ts";
import { DeadlineError, within } from "../deadline.ts";
import type { Done } from "../done.ts";
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

/** A reply of the shape that the contract promises for the call. */
export function ok<Reply>(_endpoint: Endpoint<Reply>, body: Reply): Response {
  return jsonReply(200, body);
}

/** The outcome of an action; what was done is in the audit log before the answer is given. */
export async function done(
  admin: AdminCall,
  result: Done,
  kind: AuditKind,
  detail = "",
): Promise<Response> {
  if (!result.ok) return fail(409, "refused", result.reason);
  await record(admin, kind, detail);
  return jsonReply(200, { ok: true });
}

export function record(
  { agent, by, from }: AdminCall,
  kind: AuditKind,
  detail = "",
): Promise<void> {
  return call(agent.audit.record([{ kind, who: by, from, detail, times: 1 }]));
}

const LASTING_DEADLINE_MS = 30_000;

/** Work that goes on in the Durable Object when it takes longer; the status follows it. */
export async function lasting(
  { env }: Context<Bindings>,
  work: Promise<Done>,
  kind: AuditKind,
  detail = "",
): Promise<Response> {
  try {
    return await done(env, await within("the agent", LASTING_DEADLINE_MS, work), kind, detail);
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    const text = `${detail} (still under way)`.trim();
    await record(env, kind, text);
    return jsonReply(202, { ok: true, pending: true });
  }
}
