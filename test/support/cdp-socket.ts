/** A socket that speaks CDP, bare: what a client library does by itself is left to the test. */
import { WebSocket } from "ws";
import * as z from "zod";

export interface CdpSocket {
  socket: WebSocket;
  /** The result, or an error that names the method. */
  send(method: string, params?: object, deadlineMs?: number): Promise<unknown>;
  /** Settles when it is closed, by whomever. */
  closed: Promise<void>;
  close(): void;
}

export type CdpConnected =
  | { ok: true; cdp: CdpSocket }
  /** The upgrade was refused. */
  | { ok: false; status: number; body: string };

const answer = z.object({
  id: z.number().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});

export function connectCdp(
  url: string,
  headers: Record<string, string> = {},
): Promise<CdpConnected> {
  return speakCdp(new WebSocket(url, { headers, maxPayload: 2 ** 29 }));
}

/** @param socket not open yet */
export function speakCdp(socket: WebSocket): Promise<CdpConnected> {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const closed = Promise.withResolvers<void>();
  let last = 0;
  socket.on("error", () => undefined);
  socket.on("close", () => {
    closed.resolve();
    for (const one of waiting.values()) one.reject(new Error("the socket is closed"));
  });
  socket.on("message", (data) => {
    const { id, result, error } = answer.parse(JSON.parse(String(data)));
    const one = id === undefined ? undefined : waiting.get(id);
    if (error === undefined) one?.resolve(result);
    else one?.reject(new Error(error.message));
  });
  async function send(method: string, params: object = {}, deadlineMs = 60_000) {
    last += 1;
    const id = last;
    const asked = Promise.withResolvers<unknown>();
    waiting.set(id, asked);
    const late = setTimeout(
      () => asked.reject(new Error(`${method} was not answered`)),
      deadlineMs,
    );
    socket.send(JSON.stringify({ id, method, params }));
    try {
      return await asked.promise;
    } finally {
      clearTimeout(late);
      waiting.delete(id);
    }
  }
  return new Promise((resolve, reject) => {
    socket.once("open", () =>
      resolve({
        ok: true,
        cdp: { socket, send, closed: closed.promise, close: () => socket.terminate() },
      }),
    );
    socket.once("unexpected-response", (_request, response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => resolve({ ok: false, status: response.statusCode ?? 0, body }));
    });
    socket.once("close", () => reject(new Error("closed before it was open")));
  });
}

/** @throws Error with what was answered when the upgrade is refused */
export async function mustConnectCdp(
  url: string,
  headers: Record<string, string> = {},
): Promise<CdpSocket> {
  const connected = await connectCdp(url, headers);
  if (!connected.ok) throw new Error(`${connected.status}: ${connected.body}`);
  return connected.cdp;
}
