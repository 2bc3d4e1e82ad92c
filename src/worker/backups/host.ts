/**
 * `backup.moltworker.internal`. Fails closed: any program of the agent can reach the name, so every
 * route wants the control token of the running start, which the agent does not have; and there is no
 * route that deletes or replaces. What is decided is decided by the agent's Durable Object.
 */
import type { z } from "zod";
import {
  commitRequest,
  packId,
  restoreOutcome,
  type BackupRefusal,
} from "../../protocol/backup.ts";
import { importOutcome } from "../../protocol/import.ts";
import { jsonReply } from "../replies.ts";
import type { BackupBucket } from "./bucket.ts";
import type { BackupAnswer, BackupCall, BackupCaller } from "./calls.ts";
import { readPiece } from "./import-bytes.ts";
import { checkPack, readPack, storePack, type PackDoor } from "./host-packs.ts";
import { refuse, type Refused } from "./ledger.ts";
import { noBucket } from "./no-bucket.ts";

export interface BackupHost extends Pick<PackDoor, "keys" | "ofLength"> {
  startGeneration: number;
  /** Undefined when no bucket is bound: then nothing is kept, and every call says so. */
  bucket: BackupBucket | undefined;
  agent: { backup(caller: BackupCaller, call: BackupCall): Promise<BackupAnswer> };
}

const STATUS: Record<BackupRefusal["reason"], number> = {
  unauthorised: 401,
  stale: 409,
  parent: 409,
  exists: 409,
  bounded: 429,
  invalid: 400,
  closed: 403,
  missing: 404,
  corrupt: 422,
  "wrong-key": 422,
  store: 503,
  "no-bucket": 503,
};

const MAX_JSON_BYTES = 4 * 1024 * 1024;

export async function answerBackupCall(request: Request, host: BackupHost): Promise<Response> {
  const answer = await route(request, host);
  if (answer instanceof Response) return answer;
  return answer.ok ? jsonReply(200, answer.value) : refused(answer);
}

async function route(request: Request, host: BackupHost): Promise<Response | BackupAnswer> {
  const { bucket, keys } = host;
  if (bucket === undefined) return noBucket();
  const token = /^Bearer (\S{1,512})$/.exec(request.headers.get("authorization") ?? "")?.[1];
  if (token === undefined) return refuse("unauthorised", "The control token is missing.");
  const caller = { startGeneration: host.startGeneration, token };
  const ask = (call: BackupCall) => host.agent.backup(caller, call);
  const door: PackDoor = { bucket, keys, ofLength: (bytes) => host.ofLength(bytes), ask };
  const path = new URL(request.url).pathname;
  const [, pack] = /^\/v1\/packs\/([\d.]{3,15})$/.exec(path) ?? [];
  const [, generation] = /^\/v1\/generations\/([1-9]\d{0,9})$/.exec(path) ?? [];
  if (request.method === "GET" && path === "/v1/plan") return ask({ call: "plan" });
  if (request.method === "POST" && path === "/v1/generations") return ask({ call: "reserve" });
  if (request.method === "POST" && path === "/v1/outcome") {
    const outcome = await readJson(request, restoreOutcome);
    return outcome.ok ? ask({ call: "outcome", outcome: outcome.value }) : outcome;
  }
  if (request.method === "POST" && generation !== undefined) {
    const body = await readJson(request, commitRequest);
    if (!body.ok) return body;
    return ask({ call: "commit", generation: Number(generation), request: body.value });
  }
  const [, part] = /^\/v1\/import\/(\d{1,5})$/.exec(path) ?? [];
  if (request.method === "GET" && path === "/v1/import") return ask({ call: "import-plan" });
  if (request.method === "GET" && part !== undefined) {
    return importPart(Number(part), door);
  }
  if (request.method === "POST" && path === "/v1/import/refused") {
    const outcome = await readJson(request, importOutcome);
    return outcome.ok ? ask({ call: "import-refused", outcome: outcome.value }) : outcome;
  }
  const [, suspect] = /^\/v1\/packs\/([\d.]{3,15})\/check$/.exec(path) ?? [];
  if (request.method === "POST" && suspect !== undefined && packId.safeParse(suspect).success) {
    return checkPack(suspect, door);
  }
  if (pack !== undefined && packId.safeParse(pack).success) {
    if (request.method === "GET") return readPack(pack, request, door);
    if (request.method === "PUT") return storePack(pack, request, door);
  }
  return refuse("invalid", "There is no such call.");
}

async function importPart(
  part: number,
  { bucket, keys, ask }: PackDoor,
): Promise<Response | Refused> {
  const allowed = await ask({ call: "import-part", part });
  if (!allowed.ok) return allowed;
  if (!("key" in allowed.value)) return refuse("invalid", "The agent gave no name for the part.");
  const body = await readPiece(allowed.value, { bucket, keys: await keys() });
  if (!body.ok) return body;
  return new Response(body.value, { headers: { "Content-Type": "application/octet-stream" } });
}

async function readJson<T>(
  request: Request,
  schema: z.ZodType<T>,
): Promise<{ ok: true; value: T } | Refused> {
  if (Number(request.headers.get("content-length") ?? 0) > MAX_JSON_BYTES) {
    return refuse("invalid", "The body is too large.");
  }
  try {
    const parsed = schema.safeParse(await request.json());
    if (parsed.success) return { ok: true, value: parsed.data };
    const [issue] = parsed.error.issues;
    return refuse("invalid", `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not valid"}`);
  } catch {
    return refuse("invalid", "The body is not JSON.");
  }
}

function refused({ reason, message, retryAfterMs }: Refused): Response {
  const body: BackupRefusal = {
    reason,
    message,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  return jsonReply(STATUS[reason], body);
}
