import { randomUUID } from "node:crypto";
import type { RpcReply } from "../../protocol/control.ts";
import { openTextSocket } from "./socket.ts";
import { connectParams, helloOk, parseServerFrame } from "./frames.ts";

/** One connected socket to the gateway. */
export interface OperatorSession {
  version: string;
  call(method: string, params: Record<string, unknown>, deadlineMs: number): Promise<RpcReply>;
  /** Why it ended. */
  closed: Promise<string>;
}

export type OpenedSession =
  | { ok: true; session: OperatorSession }
  | { ok: false; reason: "refused" | "unreachable"; message: string };

export interface SessionOptions {
  port: number;
  token: string;
  onEvent(event: string): void;
  signal: AbortSignal;
}

const HANDSHAKE_MS = 10_000;

export async function openSession(options: SessionOptions): Promise<OpenedSession> {
  const waiting = new Map<string, (reply: RpcReply) => void>();
  const challenged = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<string>();
  let open = false;
  const socket = openTextSocket({
    port: options.port,
    onOpen: () => (open = true),
    onText,
    onClose(reason) {
      open = false;
      options.signal.removeEventListener("abort", socket.close);
      for (const settle of waiting.values()) settle(unavailable(reason));
      waiting.clear();
      challenged.reject(new Error(reason));
      closed.resolve(reason);
    },
  });
  options.signal.addEventListener("abort", socket.close, { once: true });

  function onText(text: string): void {
    const frame = parseServerFrame(text);
    if (frame === undefined) return;
    if (frame.type === "event") {
      if (frame.event === "connect.challenge") challenged.resolve();
      else options.onEvent(frame.event);
      return;
    }
    const settle = waiting.get(frame.id);
    waiting.delete(frame.id);
    if (frame.ok) settle?.({ ok: true, result: frame.payload });
    else settle?.({ ok: false, error: frame.error ?? { code: "UNKNOWN", message: "no reason" } });
  }

  function call(
    method: string,
    params: Record<string, unknown>,
    deadlineMs: number,
  ): Promise<RpcReply> {
    return new Promise((resolve) => {
      if (!open) return resolve(unavailable("not connected"));
      const id = randomUUID();
      const timer = setTimeout(() => {
        waiting.delete(id);
        const message = `${method} did not answer within ${deadlineMs} ms`;
        resolve({ ok: false, error: { code: "DEADLINE", message } });
      }, deadlineMs);
      waiting.set(id, (reply) => {
        clearTimeout(timer);
        resolve(reply);
      });
      socket.send(JSON.stringify({ type: "req", id, method, params }));
    });
  }

  const late = setTimeout(socket.close, HANDSHAKE_MS);
  try {
    await challenged.promise;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, reason: "unreachable", message };
  } finally {
    clearTimeout(late);
  }
  const answer = await call("connect", connectParams(options.token), HANDSHAKE_MS);
  const hello = answer.ok ? helloOk.safeParse(answer.result) : undefined;
  if (!hello?.success) {
    socket.close();
    const message = answer.ok ? "not a greeting of protocol 4" : answer.error.message;
    return { ok: false, reason: "refused", message };
  }
  return {
    ok: true,
    session: { version: hello.data.server.version, call, closed: closed.promise },
  };
}

function unavailable(message: string): RpcReply {
  return { ok: false, error: { code: "UNAVAILABLE", message } };
}
