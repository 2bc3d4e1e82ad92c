import type * as z from "zod";
import { errorReply, type Endpoint } from "../../protocol/admin.ts";

const DEADLINE_MS = 40_000;

/** An answer that is not the one hoped for. `code` is one of `ADMIN_ERRORS`, or `offline`. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, message: string) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export interface CallInput {
  id?: string;
  query?: Record<string, string>;
  body?: unknown;
}

/** One call of the admin API; the answer has the shape the Worker promised, or this rejects. */
export async function call<Reply>(
  { method, path, reply: schema, deadlineMs = DEADLINE_MS }: Endpoint<Reply>,
  input: CallInput = {},
): Promise<Reply> {
  const query = input.query === undefined ? "" : `?${new URLSearchParams(input.query).toString()}`;
  const sends = method !== "GET" && method !== "DELETE";
  const address = `${path.replace(":id", encodeURIComponent(input.id ?? ""))}${query}`;
  return ask(address, schema, {
    method,
    signal: AbortSignal.timeout(deadlineMs),
    ...(sends
      ? {
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(input.body ?? {}),
        }
      : {}),
  });
}

/** Sends bytes as they are. */
export function sendBytes<Reply>(
  path: string,
  bytes: Blob,
  { reply, signal, deadlineMs }: Sending<Reply>,
): Promise<Reply> {
  return ask(path, reply, {
    method: "PUT",
    headers: { "Content-Type": "application/octet-stream" },
    body: bytes,
    signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
  });
}

interface Sending<Reply> {
  reply: z.ZodType<Reply>;
  signal: AbortSignal;
  deadlineMs: number;
}

async function ask<Reply>(
  address: string,
  schema: z.ZodType<Reply>,
  init: RequestInit,
): Promise<Reply> {
  let response: Response;
  try {
    response = await fetch(address, init);
  } catch (cause) {
    throw new ApiError("offline", 0, cause instanceof Error ? cause.message : String(cause));
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) {
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    throw new ApiError("not_understood", response.status, parsed.error.message.slice(0, 300));
  }
  const refused = errorReply.safeParse(answer);
  if (refused.success) {
    throw new ApiError(refused.data.error.code, response.status, refused.data.error.message);
  }
  throw new ApiError("not_understood", response.status, String(response.status));
}

const LOGIN_CODES = new Set([
  "access_login_required",
  "access_token_invalid",
  "access_session_over",
  "admin_required",
]);

/** Whether a new login, and nothing else, would help. */
export function needsLogin(error: unknown): boolean {
  return error instanceof ApiError && LOGIN_CODES.has(error.code);
}
