/**
 * `backup.moltworker.internal`. Fails closed: any program of the agent can reach the name, so every
 * route wants the control token of the running start, which the agent does not have; and there is no
 * route that deletes or replaces.
 *
 * Packs stream between the sandbox and the bucket here; what is decided is decided by the agent's
 * Durable Object.
 */
import type { z } from "zod";
import {
  commitRequest,
  FILE_KEY_HEADER,
  packId,
  restoreOutcome,
  sha256Hex,
  STORED_PACK,
  type BackupRefusal,
} from "../../protocol/backup.ts";
import { importOutcome } from "../../protocol/import.ts";
import { DeadlineError, within } from "../deadline.ts";
import { jsonReply } from "../replies.ts";
import { ABSENT, readBody, write, type BackupBucket } from "./bucket.ts";
import type { BackupAnswer, BackupCall, BackupCaller } from "./calls.ts";
import { readPiece } from "./import-bytes.ts";
import { opened, unlocked, type BackupKeys } from "./cipher.ts";
import { refuse, type Refused } from "./ledger.ts";
import { noBucket } from "./no-bucket.ts";
import { joined } from "./streams.ts";

export interface BackupHost {
  startGeneration: number;
  /** Undefined when no bucket is bound: then nothing is kept, and every call says so. */
  bucket: BackupBucket | undefined;
  keys: () => Promise<BackupKeys | undefined>;
  agent: { backup(caller: BackupCaller, call: BackupCall): Promise<BackupAnswer> };
  /** Passes on a stream of so many bytes: the platform wants to know, and so does whoever reads it. */
  ofLength(bytes: number): TransformStream<Uint8Array, Uint8Array>;
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

const CHECK_MS = 60_000;
const PLAIN_PACK = "application/zstd";
const MAX_JSON_BYTES = 4 * 1024 * 1024;

export async function answerBackupCall(request: Request, host: BackupHost): Promise<Response> {
  const answer = await route(request, host);
  if (answer instanceof Response) return answer;
  return answer.ok ? jsonReply(200, answer.value) : refused(answer);
}

async function route(request: Request, host: BackupHost): Promise<Response | BackupAnswer> {
  if (host.bucket === undefined) return noBucket();
  const token = /^Bearer (\S{1,512})$/.exec(request.headers.get("authorization") ?? "")?.[1];
  if (token === undefined) return refuse("unauthorised", "The control token is missing.");
  const caller = { startGeneration: host.startGeneration, token };
  const ask = (call: BackupCall) => host.agent.backup(caller, call);
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
    return importPart(Number(part), host, host.bucket, ask);
  }
  if (request.method === "POST" && path === "/v1/import/refused") {
    const outcome = await readJson(request, importOutcome);
    return outcome.ok ? ask({ call: "import-refused", outcome: outcome.value }) : outcome;
  }
  const [, suspect] = /^\/v1\/packs\/([\d.]{3,15})\/check$/.exec(path) ?? [];
  if (request.method === "POST" && suspect !== undefined && packId.safeParse(suspect).success) {
    return checkPack(suspect, host, host.bucket, ask);
  }
  if (pack !== undefined && packId.safeParse(pack).success) {
    if (request.method === "GET") return readPack(pack, request, host, host.bucket, ask);
    if (request.method === "PUT") return storePack(pack, request, host, host.bucket, ask);
  }
  return refuse("invalid", "There is no such call.");
}

type Ask = (call: BackupCall) => Promise<BackupAnswer>;

async function readPack(
  pack: string,
  request: Request,
  host: BackupHost,
  bucket: BackupBucket,
  ask: Ask,
): Promise<Response | Refused> {
  const allowed = await ask({ call: "read-pack", pack });
  if (!allowed.ok) return allowed;
  if (!("key" in allowed.value)) return refuse("invalid", "The agent gave no name for the pack.");
  const found = await readBody(bucket, allowed.value.key);
  if (!found.ok) return found;
  if (found.value === undefined) return refuse("missing", `Pack ${pack} is not in the bucket.`);
  const { body, size } = found.value;
  const [keys, { recipient }] = [await host.keys(), allowed.value];
  if (request.headers.get("accept") !== STORED_PACK) {
    // A sandbox of the release before.
    const plain = await opened(body, keys, recipient);
    if (!plain.ok) return refuse(plain.reason, `Pack ${pack}: ${plain.message}`);
    return new Response(plain.body, { headers: { "Content-Type": PLAIN_PACK } });
  }
  const stored = await unlocked(body, keys, recipient);
  if (!stored.ok) return refuse(stored.reason, `Pack ${pack}: ${stored.message}`);
  const { fileKey } = stored;
  const headers = new Headers({ "Content-Type": fileKey === undefined ? PLAIN_PACK : STORED_PACK });
  if (fileKey !== undefined) headers.set(FILE_KEY_HEADER, base64(fileKey));
  return new Response(joined(stored.head, stored.rest, host.ofLength(size)), { headers });
}

async function importPart(
  part: number,
  host: BackupHost,
  bucket: BackupBucket,
  ask: Ask,
): Promise<Response | Refused> {
  const allowed = await ask({ call: "import-part", part });
  if (!allowed.ok) return allowed;
  if (!("key" in allowed.value)) return refuse("invalid", "The agent gave no name for the part.");
  const body = await readPiece(allowed.value, { bucket, keys: await host.keys() });
  if (!body.ok) return body;
  return new Response(body.value, { headers: { "Content-Type": "application/octet-stream" } });
}

/**
 * Reads the pack to its end: `corrupt` only when the bucket gave every byte it says it has, or gave
 * bytes that cannot be what was stored. A read that broke off says nothing about the pack.
 */
async function checkPack(
  pack: string,
  host: BackupHost,
  bucket: BackupBucket,
  ask: Ask,
): Promise<BackupAnswer> {
  const allowed = await ask({ call: "read-pack", pack });
  if (!allowed.ok) return allowed;
  if (!("key" in allowed.value)) return refuse("invalid", "The agent gave no name for the pack.");
  const found = await readBody(bucket, allowed.value.key);
  if (!found.ok) return found;
  if (found.value === undefined) return refuse("missing", `Pack ${pack} is not in the bucket.`);
  const raw = counted(found.value.body);
  let problem: string | undefined;
  try {
    const body = await opened(raw.body, await host.keys(), allowed.value.recipient);
    if (!body.ok) {
      if (raw.broken() || raw.endedBefore(found.value.size)) return brokenOff(pack);
      return refuse(body.reason, `Pack ${pack}: ${body.message}`);
    }
    await within(`reading pack ${pack}`, CHECK_MS, body.body.pipeTo(new WritableStream()));
  } catch (error) {
    if (error instanceof DeadlineError) return brokenOff(pack);
    problem = error instanceof Error ? error.message : String(error);
  }
  if (raw.broken() || raw.endedBefore(found.value.size)) return brokenOff(pack);
  if (problem !== undefined) return refuse("corrupt", `Pack ${pack}: ${problem}`);
  return { ok: true, value: { key: allowed.value.key } };
}

function brokenOff(pack: string): Refused {
  return refuse("store", `Reading pack ${pack} broke off.`);
}

/** Tells how reading went below whatever consumes the stream. */
function counted(source: ReadableStream<Uint8Array>): {
  body: ReadableStream<Uint8Array>;
  broken: () => boolean;
  endedBefore: (size: number) => boolean;
} {
  const reader = source.getReader();
  let bytes = 0;
  let ended = false;
  let broken = false;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) {
          bytes += value.byteLength;
          controller.enqueue(value);
          return;
        }
        ended = true;
      } catch (error) {
        broken = true;
        throw error;
      }
      controller.close();
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return { body, broken: () => broken, endedBefore: (size) => ended && bytes < size };
}

async function storePack(
  pack: string,
  request: Request,
  host: BackupHost,
  bucket: BackupBucket,
  ask: Ask,
): Promise<BackupAnswer> {
  const size = Number(request.headers.get("content-length") ?? Number.NaN);
  const sha256 = sha256Hex.safeParse(request.headers.get("x-moltworker-sha256"));
  if (!Number.isSafeInteger(size) || size <= 0 || !sha256.success || request.body === null) {
    return refuse("invalid", "A pack comes with its length and its SHA-256.");
  }
  const allowed = await ask({ call: "store-pack", pack, size });
  if (!allowed.ok) return allowed;
  if (!("key" in allowed.value)) return refuse("invalid", "The agent gave no name for the pack.");
  const body = request.body.pipeThrough(host.ofLength(size));
  const options = { onlyIf: ABSENT, sha256: sha256.data };
  const stored = await write(bucket, allowed.value.key, body, options);
  if (!stored.ok) return stored;
  if (stored.value === undefined) return refuse("exists", `Pack ${pack} is there already.`);
  return { ok: true, value: { key: allowed.value.key } };
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

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function refused({ reason, message, retryAfterMs }: Refused): Response {
  const body: BackupRefusal = {
    reason,
    message,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  return jsonReply(STATUS[reason], body);
}
