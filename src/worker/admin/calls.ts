/** What every call of the admin API shares: who asks, how a body is read, how an answer looks. */
import type { Context } from "hono";
import * as z from "zod";
import type { AdminError, AuditKind, Endpoint } from "../../protocol/admin.ts";
import type { AgentCalls } from "../agent-calls.ts";
import type { PairingCodes } from "../apps/code.ts";
import type { BackupBucket } from "../backups/bucket.ts";
import type { Config } from "../config.ts";
import { boundedText } from "../bounded-text.ts";
import { DeadlineError, within } from "../deadline.ts";
import type { Done } from "../done.ts";
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

const CALL_DEADLINE_MS = 10_000;
const MAX_BODY_BYTES = 64 * 1024;

/** A reply of the shape that the contract promises for the call. */
export function ok<Reply>(_endpoint: Endpoint<Reply>, body: Reply): Response {
  return jsonReply(200, body);
}

export function fail(status: number, code: AdminError, message: string): Response {
  return jsonReply(status, { error: { code, message } });
}

export function call<T>(work: Promise<T>): Promise<T> {
  return within("the agent", CALL_DEADLINE_MS, work);
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

/** Parsed by its schema, or the refusal. Needs `application/json`: no HTML form can send that. */
export async function readBody<T>(
  { req }: Context<Bindings>,
  schema: z.ZodType<T>,
): Promise<T | Response> {
  if (!/^application\/json\s*(;|$)/i.test(req.header("content-type") ?? "")) {
    return fail(415, "json_required", "Send the body as application/json.");
  }
  const text = await boundedText(req.raw, MAX_BODY_BYTES);
  if (text === undefined) return fail(413, "body_too_large", "The body is too large.");
  let value: unknown;
  try {
    value = text === "" ? {} : JSON.parse(text);
  } catch {
    return fail(400, "invalid_json", "The body is not JSON.");
  }
  const parsed = schema.safeParse(value);
  return parsed.success
    ? parsed.data
    : fail(400, "invalid_body", z.prettifyError(parsed.error).slice(0, 500));
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
