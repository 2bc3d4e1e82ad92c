/** A client of the gateway's WebSocket protocol 4 with a device of its own, for tests. */
import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { WebSocket } from "ws";
import * as z from "zod";

export interface DeviceIdentity {
  /** Lowercase hex SHA-256 of the raw public key. */
  id: string;
  publicKey: string;
  privateKey: KeyObject;
}

export function createDevice(): DeviceIdentity {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  return {
    id: createHash("sha256").update(raw).digest("hex"),
    publicKey: raw.toString("base64url"),
    privateKey,
  };
}

const gatewayError = z.object({
  code: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type GatewayError = z.infer<typeof gatewayError>;

const serverFrame = z.union([
  z.object({ type: z.literal("event"), event: z.string(), payload: z.unknown().optional() }),
  z.object({
    type: z.literal("res"),
    id: z.string(),
    ok: z.boolean(),
    payload: z.unknown().optional(),
    error: gatewayError.optional(),
  }),
]);

const challenge = z.object({ nonce: z.string(), ts: z.number() });

const hello = z.object({
  protocol: z.number(),
  server: z.object({ version: z.string() }),
  auth: z.object({
    role: z.string(),
    scopes: z.array(z.string()),
    deviceToken: z.string().optional(),
  }),
});
export type Hello = z.infer<typeof hello>;

export interface GatewayEvent {
  event: string;
  payload: unknown;
}

export interface Closed {
  code: number;
  reason: string;
}

export type CallResult<T = unknown> = { ok: true; payload: T } | { ok: false; error: GatewayError };

export type ConnectResult =
  | { ok: true; client: GatewayClient }
  /** `error` is what the gateway answered; absent when the socket ended without an answer. */
  | { ok: false; error?: GatewayError; closed: Closed }
  /** The upgrade itself was refused. */
  | { ok: false; status: number; body: string };

export interface ConnectOptions {
  /** `ws://…` */
  url: string;
  token: string;
  /** Without one the gateway is asked for a connection without a device. */
  device?: DeviceIdentity;
  scopes?: readonly string[];
  caps?: readonly string[];
  client?: { id: string; mode: string };
  headers?: Record<string, string>;
  deadlineMs?: number;
}

export interface GatewayClient {
  hello: Hello;
  call(method: string, params?: object, deadlineMs?: number): Promise<CallResult>;
  /** Every event since the connection was made. */
  events: readonly GatewayEvent[];
  /** The first event, past or to come, that fits. */
  event(fits: (event: GatewayEvent) => boolean, deadlineMs?: number): Promise<GatewayEvent>;
  /** Sends a message to the agent; resolves with its whole answer. */
  chat(message: string, options?: { sessionKey?: string; deadlineMs?: number }): Promise<string>;
  closed: Promise<Closed>;
  close(): void;
}

const DEADLINE_MS = 30_000;

export function connectGateway(options: ConnectOptions): Promise<ConnectResult> {
  const socket = new WebSocket(options.url, { headers: options.headers ?? {} });
  const waiting = new Map<string, (result: CallResult) => void>();
  const events: GatewayEvent[] = [];
  const watchers = new Set<(event: GatewayEvent) => void>();
  const closed = Promise.withResolvers<Closed>();
  const settled = Promise.withResolvers<ConnectResult>();
  let refusal: GatewayError | undefined;

  function call(
    method: string,
    params: object = {},
    deadlineMs = DEADLINE_MS,
  ): Promise<CallResult> {
    return new Promise((resolve, reject) => {
      const id = randomUUID();
      const timer = setTimeout(() => {
        waiting.delete(id);
        reject(new Error(`${method} did not answer within ${deadlineMs} ms`));
      }, deadlineMs);
      waiting.set(id, (result) => {
        clearTimeout(timer);
        resolve(result);
      });
      socket.send(JSON.stringify({ type: "req", id, method, params }));
    });
  }

  function event(
    fits: (one: GatewayEvent) => boolean,
    deadlineMs = DEADLINE_MS,
  ): Promise<GatewayEvent> {
    const past = events.find(fits);
    if (past !== undefined) return Promise.resolve(past);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        watchers.delete(watch);
        reject(new Error(`the awaited event did not come within ${deadlineMs} ms`));
      }, deadlineMs);
      const watch = (one: GatewayEvent) => {
        if (!fits(one)) return;
        clearTimeout(timer);
        watchers.delete(watch);
        resolve(one);
      };
      watchers.add(watch);
    });
  }

  async function answerChallenge(payload: unknown): Promise<void> {
    const result = await call("connect", connectParams(options, challenge.parse(payload)));
    if (!result.ok) {
      refusal = result.error;
      return;
    }
    settled.resolve({
      ok: true,
      client: {
        hello: hello.parse(result.payload),
        call,
        events,
        event,
        chat: (message, chatOptions) => chat({ call, event }, message, chatOptions),
        closed: closed.promise,
        close: () => socket.close(),
      },
    });
  }

  const late = setTimeout(() => socket.terminate(), options.deadlineMs ?? DEADLINE_MS);
  void settled.promise.finally(() => clearTimeout(late));
  socket.on("unexpected-response", (_request, response) => {
    let body = "";
    response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    response.on("end", () =>
      settled.resolve({ ok: false, status: response.statusCode ?? 0, body }),
    );
  });
  socket.on("error", () => undefined);
  socket.on("close", (code, reason) => {
    const end = { code, reason: reason.toString() };
    const lost = { code: "CLOSED", message: `closed ${code} ${end.reason}` };
    for (const settle of waiting.values()) settle({ ok: false, error: lost });
    waiting.clear();
    closed.resolve(end);
    settled.resolve({
      ok: false,
      ...(refusal === undefined ? {} : { error: refusal }),
      closed: end,
    });
  });
  socket.on("message", (data) => {
    const frame = serverFrame.parse(JSON.parse(String(data)));
    if (frame.type === "event") {
      if (frame.event === "connect.challenge") void answerChallenge(frame.payload);
      const one = { event: frame.event, payload: frame.payload };
      events.push(one);
      for (const watch of watchers) watch(one);
      return;
    }
    const settle = waiting.get(frame.id);
    waiting.delete(frame.id);
    if (frame.ok) settle?.({ ok: true, payload: frame.payload });
    else settle?.({ ok: false, error: frame.error ?? { code: "UNKNOWN", message: "no reason" } });
  });
  return settled.promise;
}

/** Connects, or throws with the reason. */
export async function mustConnect(options: ConnectOptions): Promise<GatewayClient> {
  const result = await connectGateway(options);
  if (result.ok) return result.client;
  throw new Error(`could not connect to the gateway: ${JSON.stringify(result)}`);
}

function connectParams(
  options: ConnectOptions,
  { nonce, ts }: z.infer<typeof challenge>,
): Record<string, unknown> {
  const client = options.client ?? { id: "cli", mode: "cli" };
  const scopes = options.scopes ?? ["operator.read", "operator.write"];
  const { device, token } = options;
  const platform = "linux";
  const signed = ["v3", device?.id, client.id, client.mode, "operator", scopes.join(",")]
    .concat([String(ts), token, nonce, platform, ""])
    .join("|");
  return {
    minProtocol: 4,
    maxProtocol: 4,
    client: { ...client, version: "1.0.0", platform },
    role: "operator",
    scopes,
    caps: options.caps ?? [],
    auth: { token },
    ...(device === undefined
      ? {}
      : {
          device: {
            id: device.id,
            publicKey: device.publicKey,
            signature: sign(null, Buffer.from(signed), device.privateKey).toString("base64url"),
            signedAt: ts,
            nonce,
          },
        }),
  };
}

const chatEvent = z.object({
  runId: z.string(),
  state: z.string(),
  message: z.object({ content: z.unknown() }).optional(),
  errorMessage: z.string().optional(),
});
const chatAck = z.object({ runId: z.string() });
const textPart = z.object({ type: z.literal("text"), text: z.string() });

/** The text of a finished `chat` event's message. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content
    .map((part) => textPart.safeParse(part))
    .map((part) => (part.success ? part.data.text : ""))
    .join("");
}

async function chat(
  client: Pick<GatewayClient, "call" | "event">,
  message: string,
  options: { sessionKey?: string; deadlineMs?: number } = {},
): Promise<string> {
  const { sessionKey = "agent:main:main", deadlineMs = 60_000 } = options;
  const sent = await client.call("chat.send", {
    sessionKey,
    message,
    deliver: false,
    idempotencyKey: randomUUID(),
  });
  if (!sent.ok) throw new Error(`chat.send: ${sent.error.code} ${sent.error.message}`);
  const { runId } = chatAck.parse(sent.payload);
  const last = await client.event((one) => {
    const parsed = chatEvent.safeParse(one.event === "chat" ? one.payload : undefined);
    return (
      parsed.success &&
      parsed.data.runId === runId &&
      ["final", "error", "aborted"].includes(parsed.data.state)
    );
  }, deadlineMs);
  const { state, errorMessage, message: answer } = chatEvent.parse(last.payload);
  if (state !== "final") throw new Error(`the turn ended as ${state}: ${errorMessage ?? ""}`);
  return textOf(answer?.content);
}
