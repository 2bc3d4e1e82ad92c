/** Calls of the supervisor to `backup.moltworker.internal`. Every call has a deadline. */
import * as z from "zod";
import {
  backupRefusal,
  outcomeReply,
  reserveReply,
  restorePlan,
  STORED_PACK,
  type BackupRefusal,
  type CommitRequest,
  type OutcomeReply,
  type PackId,
  type ReserveReply,
  type RestoreOutcome,
  type RestorePlan,
} from "../../protocol/backup.ts";
import { importPlan, type ImportOutcome, type ImportPlan } from "../../protocol/import.ts";
import { INTERNAL_HOSTS } from "../../protocol/names.ts";
import type { SealedPack } from "./pack.ts";

export interface HostRequest {
  url: string;
  method: string;
  headers: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
  signal: AbortSignal;
  /** Memory for the answer, used when that fits. */
  into?: Uint8Array;
}

export interface HostReply {
  status: number;
  bytes: Uint8Array;
  /** Of `FILE_KEY_HEADER`. */
  fileKey: string | undefined;
}

/** The whole answer; rejects when it did not arrive whole. Not `fetch`, which costs 10 MB. */
export type Send = (request: HostRequest) => Promise<HostReply>;

export type Called<T> = { ok: true; value: T } | ({ ok: false } & BackupRefusal);

export interface StoredPack {
  bytes: Uint8Array;
  /** What opens it, when it is encrypted. */
  fileKey?: Uint8Array;
}

export interface HostClientParts {
  token: string;
  send: Send;
  wait: (ms: number) => Promise<void>;
}

const CALL_MS = 30_000;
const PACK_MS = 180_000;
const TRIES = 4;
const FIRST_PAUSE_MS = 400;
/** So long it is waited for room where the hour's is used up: for one pack it is some seconds. */
const MOST_BOUNDED_MS = 60_000;

export class HostClient {
  private readonly parts: HostClientParts;

  constructor(parts: HostClientParts) {
    this.parts = parts;
  }

  plan(): Promise<Called<RestorePlan>> {
    return this.json("GET", "/v1/plan", restorePlan);
  }

  outcome(outcome: RestoreOutcome): Promise<Called<OutcomeReply>> {
    return this.json("POST", "/v1/outcome", outcomeReply, outcome);
  }

  reserve(): Promise<Called<ReserveReply>> {
    return this.json("POST", "/v1/generations", reserveReply);
  }

  commit(generation: number, request: CommitRequest): Promise<Called<ReserveReply>> {
    const path = `/v1/generations/${generation}`;
    return this.admitted(() => this.json("POST", path, reserveReply, request));
  }

  /**
   * `exists` counts as stored after a first try whose answer was lost: the commit compares it. A generation
   * that began anew with each refusal for want of room would use up what room comes.
   */
  async storePack(pack: PackId, sealed: SealedPack): Promise<Called<undefined>> {
    let tried = false;
    const store = async (): Promise<Called<undefined>> => {
      const reply = await this.call("PUT", `/v1/packs/${pack}`, PACK_MS, {
        body: sealed.bytes,
        headers: {
          "Content-Length": String(sealed.bytes.byteLength),
          "X-Moltworker-Sha256": sealed.sha256,
        },
      });
      const again = tried;
      tried = true;
      if (!reply.ok && reply.reason === "exists" && again) return { ok: true, value: undefined };
      return reply.ok ? { ok: true, value: undefined } : reply;
    };
    return this.admitted(() => this.retried(store));
  }

  /** The pack as it is stored, in `into` when it fits. One try: the caller decides what a broken one means. */
  async readPack(pack: PackId, into?: Uint8Array): Promise<Called<StoredPack>> {
    const init = { headers: { Accept: STORED_PACK }, ...(into === undefined ? {} : { into }) };
    const reply = await this.reply("GET", `/v1/packs/${pack}`, PACK_MS, init);
    if (!reply.ok) return reply;
    const { bytes, fileKey } = reply.value;
    if (fileKey === undefined) return { ok: true, value: { bytes } };
    return { ok: true, value: { bytes, fileKey: Buffer.from(fileKey, "base64") } };
  }

  importPlan(): Promise<Called<ImportPlan>> {
    return this.json("GET", "/v1/import", importPlan);
  }

  /** One part of the archive that waits, of `size` bytes. */
  importPart(part: number, size: number): Promise<Called<Uint8Array>> {
    return this.retried(async () => {
      const reply = await this.call("GET", `/v1/import/${part}`, PACK_MS, {});
      if (!reply.ok || reply.value.byteLength === size) return reply;
      const arrived = `${reply.value.byteLength} of ${size} bytes arrived`;
      return { ok: false, reason: "store", message: arrived };
    });
  }

  importRefused(outcome: ImportOutcome): Promise<Called<unknown>> {
    return this.json("POST", "/v1/import/refused", z.unknown(), outcome);
  }

  async checkPack(pack: PackId): Promise<Called<undefined>> {
    const reply = await this.retried(() =>
      this.call("POST", `/v1/packs/${pack}/check`, PACK_MS, {}),
    );
    return reply.ok ? { ok: true, value: undefined } : reply;
  }

  private json<T>(
    method: string,
    path: string,
    schema: z.ZodType<T>,
    body?: unknown,
  ): Promise<Called<T>> {
    return this.retried(async () => {
      const init =
        body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
      const reply = await this.call(method, path, CALL_MS, init);
      if (!reply.ok) return reply;
      try {
        return { ok: true, value: schema.parse(parseJson(reply.value)) };
      } catch (error) {
        return unreachable(error);
      }
    });
  }

  private async admitted<T>(attempt: () => Promise<Called<T>>): Promise<Called<T>> {
    for (let i = 1; ; i++) {
      const reply = await attempt();
      if (reply.ok || reply.reason !== "bounded" || i === TRIES) return reply;
      const { retryAfterMs = Number.POSITIVE_INFINITY } = reply;
      if (retryAfterMs > MOST_BOUNDED_MS) return reply;
      await this.parts.wait(retryAfterMs);
    }
  }

  /** Tries again what may go away by itself; every call may be repeated without harm. */
  private async retried<T>(attempt: () => Promise<Called<T>>): Promise<Called<T>> {
    for (let i = 1; ; i++) {
      const reply = await attempt();
      if (reply.ok || reply.reason !== "store" || i === TRIES) return reply;
      await this.parts.wait(FIRST_PAUSE_MS * 2 ** (i - 1));
    }
  }

  private async call(...asked: Parameters<HostClient["reply"]>): Promise<Called<Uint8Array>> {
    const reply = await this.reply(...asked);
    return reply.ok ? { ok: true, value: reply.value.bytes } : reply;
  }

  private async reply(
    method: string,
    path: string,
    deadlineMs: number,
    init: {
      body?: string | Uint8Array<ArrayBuffer>;
      headers?: Record<string, string>;
      into?: Uint8Array;
    },
  ): Promise<Called<HostReply>> {
    try {
      const reply = await this.parts.send({
        url: `http://${INTERNAL_HOSTS.backup}${path}`,
        method,
        ...(init.body === undefined ? {} : { body: init.body }),
        ...(init.into === undefined ? {} : { into: init.into }),
        headers: { ...init.headers, Authorization: `Bearer ${this.parts.token}` },
        signal: AbortSignal.timeout(deadlineMs),
      });
      const { status, bytes } = reply;
      if (status >= 200 && status < 300) return { ok: true, value: reply };
      const refusal = backupRefusal.safeParse(parseJson(bytes));
      if (refusal.success) return { ok: false, ...refusal.data };
      return { ok: false, reason: "store", message: `${method} ${path}: ${status}` };
    } catch (error) {
      return unreachable(error);
    }
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function unreachable(error: unknown): { ok: false; reason: "store"; message: string } {
  const message = error instanceof Error ? error.message : String(error);
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : "";
  return { ok: false, reason: "store", message: `${message} ${cause}`.trim().slice(0, 500) };
}
