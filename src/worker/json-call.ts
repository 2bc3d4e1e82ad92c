/** What the JSON calls of the admin share, whichever room answers them. */
import * as z from "zod";
import type { AdminError } from "../protocol/admin-errors.ts";
import { boundedText } from "./bounded-text.ts";
import { within } from "./deadline.ts";
import { jsonReply } from "./replies.ts";

const CALL_DEADLINE_MS = 10_000;
const MAX_BODY_BYTES = 64 * 1024;

/** The part of a Hono context that is read here. */
interface Asked {
  req: { raw: Request };
}

export function fail(status: number, code: AdminError, message: string): Response {
  return jsonReply(status, { error: { code, message } });
}

/** A call of the Durable Object, which may hang. */
export function call<T>(work: Promise<T>): Promise<T> {
  return within("the agent", CALL_DEADLINE_MS, work);
}

/** Parsed by its schema, or the refusal. Needs `application/json`: no HTML form can send that. */
export async function readBody<T>({ req }: Asked, schema: z.ZodType<T>): Promise<T | Response> {
  if (!/^application\/json\s*(;|$)/i.test(req.raw.headers.get("content-type") ?? "")) {
    return fail(415, "json_required", "Send the body as application/json.");
  }
  const body = await boundedText(req.raw, MAX_BODY_BYTES);
  if (!body.ok) return fail(body.status, body.code, body.message);
  let value: unknown;
  try {
    value = body.text === "" ? {} : JSON.parse(body.text);
  } catch {
    return fail(400, "invalid_json", "The body is not JSON.");
  }
  const parsed = schema.safeParse(value);
  return parsed.success
    ? parsed.data
    : fail(400, "invalid_body", z.prettifyError(parsed.error).slice(0, 500));
}
