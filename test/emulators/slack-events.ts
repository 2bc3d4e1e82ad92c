/**
 * The two ways in which Slack tells an app what happened: signed HTTP requests with retries
 * (https://docs.slack.dev/apis/events-api/, https://docs.slack.dev/authentication/verifying-requests-from-slack/)
 * and Socket Mode's envelopes (https://docs.slack.dev/apis/events-api/using-socket-mode). Slack waits
 * three seconds for an answer and tries three times more; here the pauses between are short.
 */
import { createHmac } from "node:crypto";
import { WebSocket } from "ws";

export type Happening =
  | { type: "events_api"; id: string; payload: object }
  | { type: "slash_commands"; id: string; payload: Record<string, string> }
  | { type: "interactive"; id: string; payload: object };

export interface Attempt {
  id: string;
  way: "http" | "socket";
  /** HTTP status, 200 for an acknowledged envelope, 0 for no answer. */
  status: number;
  /** What the app answered at once. */
  body: string;
}

const ANSWER_MS = 3_000;
const RETRY_MS = [50, 500, 2_000] as const;

export function signed(secret: string, body: string, seconds = Math.floor(Date.now() / 1000)) {
  const mac = createHmac("sha256", secret).update(`v0:${seconds}:${body}`).digest("hex");
  return { "x-slack-request-timestamp": String(seconds), "x-slack-signature": `v0=${mac}` };
}

/** As Slack posts it. */
export function posted({ type, payload }: Happening): { type: string; body: string } {
  if (type === "events_api") return { type: "application/json", body: JSON.stringify(payload) };
  const fields =
    type === "interactive"
      ? { payload: JSON.stringify(payload) }
      : (payload as Record<string, string>);
  return {
    type: "application/x-www-form-urlencoded",
    body: new URLSearchParams(fields).toString(),
  };
}

export async function postOnce(
  url: string,
  secret: string,
  what: Happening,
  retry: Record<string, string> = {},
): Promise<Attempt> {
  const { type, body } = posted(what);
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": type, ...signed(secret, body), ...retry },
      body,
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    return { id: what.id, way: "http", status: answer.status, body: await answer.text() };
  } catch {
    return { id: what.id, way: "http", status: 0, body: "" };
  }
}

/** Events are tried again; commands and interactions are not, a person waits for them. */
export async function postAll(
  url: string,
  secret: string,
  what: Happening,
  note: (attempt: Attempt) => void,
): Promise<Attempt> {
  let attempt = await postOnce(url, secret, what);
  note(attempt);
  for (const [index, wait] of (what.type === "events_api" ? RETRY_MS : []).entries()) {
    if (attempt.status >= 200 && attempt.status < 300) break;
    await new Promise((resolve) => setTimeout(resolve, wait));
    const reason = attempt.status === 0 ? "http_timeout" : "http_error";
    attempt = await postOnce(url, secret, what, {
      "x-slack-retry-num": String(index + 1),
      "x-slack-retry-reason": reason,
    });
    note(attempt);
  }
  return attempt;
}

/** Connections of Socket Mode: each envelope goes to one of them. */
export class Sockets {
  readonly #open: WebSocket[] = [];
  readonly #waiting = new Map<string, (body: string) => void>();
  #count = 0;

  get size(): number {
    return this.#open.length;
  }

  take(socket: WebSocket, appId: string): void {
    this.#open.push(socket);
    socket.on("close", () => this.#open.splice(this.#open.indexOf(socket), 1));
    socket.on("message", (data) => {
      const { envelope_id: id, payload } = JSON.parse(String(data));
      this.#waiting.get(id)?.(payload === undefined ? "" : JSON.stringify(payload));
    });
    socket.send(
      JSON.stringify({
        type: "hello",
        num_connections: this.#open.length,
        connection_info: { app_id: appId },
        debug_info: { host: "emulated", approximate_connection_time: 18_060 },
      }),
    );
  }

  /** Sends until it is acknowledged, as long as the emulator lives. */
  async send(
    what: Happening,
    note: (attempt: Attempt) => void,
    over: () => boolean,
  ): Promise<void> {
    for (let attempt = 0; !over(); attempt += 1) {
      const socket = this.#open.at(-1);
      if (socket !== undefined) {
        const body = await this.#once(socket, what, attempt);
        note({
          id: what.id,
          way: "socket",
          status: body === undefined ? 0 : 200,
          body: body ?? "",
        });
        if (body !== undefined) return;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  #once(socket: WebSocket, what: Happening, attempt: number): Promise<string | undefined> {
    this.#count += 1;
    const envelope = `envelope-${this.#count}`;
    return new Promise((resolve) => {
      const done = (body: string | undefined) => {
        clearTimeout(timer);
        socket.off("close", gone);
        this.#waiting.delete(envelope);
        resolve(body);
      };
      const gone = () => done(undefined);
      const timer = setTimeout(gone, ANSWER_MS);
      socket.on("close", gone);
      this.#waiting.set(envelope, done);
      socket.send(
        JSON.stringify({
          envelope_id: envelope,
          type: what.type,
          payload: what.payload,
          accepts_response_payload: what.type !== "events_api",
          ...(what.type === "events_api"
            ? { retry_attempt: attempt, retry_reason: attempt === 0 ? "" : "timeout" }
            : {}),
        }),
      );
    });
  }

  /** `warning` and `refresh_requested` ask for a new connection, `link_disabled` ends them all. */
  disconnect(reason: string): void {
    for (const socket of [...this.#open]) {
      socket.send(JSON.stringify({ type: "disconnect", reason, debug_info: { host: "emulated" } }));
      if (reason !== "warning") setTimeout(() => socket.close(1000), 500).unref();
    }
  }

  /** As when the network goes away. */
  cut(): void {
    for (const socket of [...this.#open]) socket.terminate();
  }
}
