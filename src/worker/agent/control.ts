import * as z from "zod";
import type { BootDocument } from "../../protocol/boot.ts";
import type { RestorePlan } from "../../protocol/backup.ts";
import {
  backupReply,
  type BackupReply,
  deliverReply,
  type DeliverReply,
  type DeliverRequest,
  drillReply,
  type DrillReply,
  helloReply,
  type HelloReply,
  type LogLine,
  logsReply,
  markReply,
  type ProcessInfo,
  processesReply,
  rpcReply,
  type RpcReply,
  type RpcRequest,
  supervisorStatus,
  type SupervisorStatus,
  suspendReply,
  type SuspendReply,
} from "../../protocol/control.ts";
import { type Budget, messageOf } from "./budget.ts";
import { eventData } from "./event-stream.ts";

export type Reply<T> = { ok: true; value: T } | { ok: false; reason: string };
/** `code` is that of an error which was answered; without one nothing is known of what was done. */
export type RpcAnswer = { ok: true; value: unknown } | { ok: false; reason: string; code?: string };

/** A request to one port of the sandbox; rejects when nothing listens there. */
export type PortFetch = (request: Request) => Promise<Response>;

/** How much of a refusal's body is kept as its reason. */
const MAX_REASON = 4000;

/** The supervisor's control port: each call has a deadline, each answer is parsed. */
export class ControlPort {
  readonly #fetch: PortFetch;
  readonly #budget: Budget;
  readonly #token: () => string | undefined;

  constructor(fetch: PortFetch, budget: Budget, token: () => string | undefined) {
    this.#fetch = fetch;
    this.#budget = budget;
    this.#token = token;
  }

  hello(): Promise<Reply<HelloReply>> {
    return this.#ask("GET", "/v1/hello", helloReply, { ms: this.#budget.hello });
  }

  boot(document: BootDocument): Promise<Reply<unknown>> {
    return this.#ask("POST", "/v1/boot", z.unknown(), {
      ms: this.#budget.restore,
      body: document,
    });
  }

  status(): Promise<Reply<SupervisorStatus>> {
    return this.#ask("GET", "/v1/status", supervisorStatus, { ms: this.#budget.control });
  }

  async rpc(call: RpcRequest): Promise<RpcAnswer> {
    const reply: Reply<RpcReply> = await this.#ask("POST", "/v1/rpc", rpcReply, {
      ms: this.#budget.control,
      body: call,
    });
    if (!reply.ok) return reply;
    if (reply.value.ok) return { ok: true, value: reply.value.result };
    const { code, message } = reply.value.error;
    return { ok: false, reason: `${code}: ${message}`, code };
  }

  putDevices(approvedDevices: string[]): Promise<Reply<unknown>> {
    return this.#ask("PUT", "/v1/devices", z.unknown(), {
      ms: this.#budget.control,
      body: { approvedDevices },
    });
  }

  async logs(source: LogLine["source"], after: number | undefined): Promise<Reply<LogLine[]>> {
    const query = new URLSearchParams({ source });
    if (after !== undefined) query.set("after", String(after));
    const reply = await this.#ask("GET", `/v1/logs?${query.toString()}`, logsReply, {
      ms: this.#budget.control,
    });
    return reply.ok ? { ok: true, value: reply.value.lines } : reply;
  }

  async processes(): Promise<Reply<ProcessInfo[]>> {
    const reply = await this.#ask("GET", "/v1/processes", processesReply, {
      ms: this.#budget.control,
    });
    return reply.ok ? { ok: true, value: reply.value.processes } : reply;
  }

  /** Answers when the gateway is gone and what it left is kept. */
  async stop(): Promise<Reply<SupervisorStatus | undefined>> {
    const { drain, control, finalBackup } = this.#budget;
    const reply = await this.#ask("POST", "/v1/stop", z.unknown(), {
      ms: drain + finalBackup + control,
      body: { deadlineMs: drain },
    });
    return reply.ok ? { ok: true, value: supervisorStatus.safeParse(reply.value).data } : reply;
  }

  suspend(): Promise<Reply<SuspendReply>> {
    const ms = this.#budget.finalBackup;
    return this.#ask("POST", "/v1/suspend", suspendReply, { ms });
  }

  resume(): Promise<Reply<unknown>> {
    return this.#ask("POST", "/v1/resume", z.unknown(), { ms: this.#budget.control });
  }

  deliver(request: DeliverRequest): Promise<Reply<DeliverReply>> {
    return this.#ask("POST", "/v1/deliver", deliverReply, {
      ms: this.#budget.delivery,
      body: request,
    });
  }

  async mark(): Promise<Reply<number>> {
    const reply = await this.#ask("POST", "/v1/mark", markReply, { ms: this.#budget.control });
    return reply.ok ? { ok: true, value: reply.value.mark } : reply;
  }

  backUp(): Promise<Reply<BackupReply>> {
    return this.#ask("POST", "/v1/backup", backupReply, { ms: this.#budget.finalBackup });
  }

  drill(plan: RestorePlan): Promise<Reply<DrillReply>> {
    const ms = this.#budget.restore;
    return this.#ask("POST", "/v1/drill", drillReply, { ms, body: { plan } });
  }

  /** Statuses as they change, the present one first; ends with the stream, the signal or an error. */
  async *events(signal: AbortSignal): AsyncGenerator<SupervisorStatus, void, undefined> {
    const response = await this.#fetch(
      new Request("http://sandbox/v1/events", { headers: this.#headers(), signal }),
    );
    if (!response.ok || response.body === null) {
      throw new Error(`the supervisor answered ${response.status} to GET /v1/events`);
    }
    for await (const data of eventData(response.body)) {
      const status = supervisorStatus.safeParse(safeJson(data));
      if (status.success) yield status.data;
    }
  }

  async #ask<T>(
    method: "GET" | "POST" | "PUT",
    path: string,
    schema: z.ZodType<T>,
    { ms, body }: { ms: number; body?: object },
  ): Promise<Reply<T>> {
    const what = `${method} ${path.split("?", 1)[0] ?? ""}`;
    try {
      const headers = this.#headers();
      if (body !== undefined) headers.set("content-type", "application/json");
      const response = await this.#fetch(
        new Request(`http://sandbox${path}`, {
          method,
          headers,
          signal: AbortSignal.timeout(ms),
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        }),
      );
      const text = await response.text();
      if (!response.ok) {
        const said = text.trim().slice(0, MAX_REASON);
        return {
          ok: false,
          reason: `The supervisor answered ${response.status} to ${what}: ${said}`,
        };
      }
      const parsed = schema.safeParse(text === "" ? undefined : safeJson(text));
      return parsed.success
        ? { ok: true, value: parsed.data }
        : { ok: false, reason: `The supervisor's answer to ${what} is not understood.` };
    } catch (error) {
      return { ok: false, reason: `${what}: ${messageOf(error)}` };
    }
  }

  #headers(): Headers {
    const token = this.#token();
    return new Headers(token === undefined ? {} : { authorization: `Bearer ${token}` });
  }
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
