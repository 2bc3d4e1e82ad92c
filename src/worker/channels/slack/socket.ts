/**
 * Socket Mode (https://docs.slack.dev/apis/events-api/using-socket-mode/), held by the Durable Object
 * so that Slack reaches an agent that sleeps. An envelope is acknowledged after it is stored; a
 * connection that Slack is about to end, or that is old, is replaced by a new one before it closes.
 */
import * as z from "zod";
import { within } from "../../deadline.ts";
import type { ChannelHost, ChannelState } from "../channel.ts";
import type { SlackApi, SlackReply } from "./api.ts";
import { postedForm, readRequest } from "./request.ts";
import type { SlackSettings } from "./settings.ts";
import { socketAddress } from "./socket-address.ts";

const opened = z.object({ url: z.string() });
const envelope = z.object({
  type: z.string(),
  envelope_id: z.string().optional(),
  reason: z.string().optional(),
  payload: z.unknown().optional(),
});

const OPEN_MS = 10_000;
const LOOK_EVERY_MS = 60_000;
/** A timer tries again sooner; this is for a Durable Object that lost its timers. */
const RETRY_LOOK_MS = 10_000;
/** Nothing tells of a connection that died silently, so none is trusted for longer than this. */
const MAX_AGE_MS = 15 * 60_000;
/** Slack may still send on a connection that was replaced. */
const LINGER_MS = 10_000;
const WAITS_MS = [1_000, 2_000, 5_000, 15_000, 60_000, 300_000] as const;
const MAX_ENVELOPE_CHARS = 1024 ** 2;

export class SlackSocket {
  readonly #api: SlackApi;
  readonly #host: ChannelHost;
  readonly #settings: SlackSettings;
  #socket: WebSocket | undefined;
  #since = 0;
  #failures = 0;
  #opening: Promise<void> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  state: Pick<ChannelState, "connection" | "error"> = { connection: "connecting" };

  constructor(api: SlackApi, host: ChannelHost, settings: SlackSettings) {
    this.#api = api;
    this.#host = host;
    this.#settings = settings;
  }

  /** @returns when to look again, in milliseconds */
  async tend(): Promise<number> {
    const old = this.#host.now() - this.#since > MAX_AGE_MS;
    if (this.#socket === undefined || old) await this.#replace();
    return this.#socket === undefined ? Math.max(this.#wait(), RETRY_LOOK_MS) : LOOK_EVERY_MS;
  }

  /** One at a time: several would all be given messages. */
  #replace(): Promise<void> {
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #open(): Promise<void> {
    const answer = await this.#api.callAsApp("apps.connections.open");
    if (!answer.ok) return this.#failed(reasonOf(answer));
    const address = socketAddress(opened.safeParse(answer.result).data?.url, this.#settings.apiUrl);
    if (address === undefined) return this.#failed("Slack named no usable address.");
    try {
      const socket = await within("Slack's socket", OPEN_MS, this.#connect(address));
      const before = this.#socket;
      this.#socket = socket;
      this.#since = this.#host.now();
      this.#failures = 0;
      if (before !== undefined) setTimeout(() => before.close(1000), LINGER_MS);
    } catch (error) {
      this.#failed(`The socket could not be opened: ${String(error).slice(0, 200)}`);
    }
  }

  async #connect(address: string): Promise<WebSocket> {
    const response = await this.#host.fetch(address, { headers: { upgrade: "websocket" } });
    const socket = response.webSocket;
    if (socket === null || socket === undefined) throw new Error(`HTTP ${response.status}`);
    socket.addEventListener("message", ({ data }) => {
      if (typeof data !== "string" || data.length > MAX_ENVELOPE_CHARS) return;
      this.#host.waitUntil(this.#take(socket, data));
    });
    const gone = () => {
      if (this.#socket === socket) this.#lost("The connection to Slack ended.");
    };
    socket.addEventListener("close", gone);
    socket.addEventListener("error", gone);
    socket.accept();
    return socket;
  }

  async #take(socket: WebSocket, data: string): Promise<void> {
    const parsed = envelope.safeParse(parseJson(data));
    if (!parsed.success) return;
    const { type, envelope_id: id, reason, payload } = parsed.data;
    if (type === "hello") return this.#connected();
    if (type === "disconnect") return this.#asked(socket, reason ?? "");
    if (id === undefined) return;
    const { contentType, text } = postedForm(type, payload);
    const read = readRequest(contentType, text);
    if (read.kind === "arrival") {
      // Not acknowledged: Slack keeps it and sends it again.
      if (!(await this.#host.receive([read.arrival]))) return;
    }
    const answer =
      read.kind === "done" && read.answer !== undefined ? { payload: read.answer } : {};
    socket.send(JSON.stringify({ envelope_id: id, ...answer }));
  }

  #connected(): void {
    if (this.state.connection === "connected") return;
    this.state = { connection: "connected" };
    this.#host.changed();
  }

  /** Slack ends this connection soon, or for good. */
  async #asked(socket: WebSocket, reason: string): Promise<void> {
    if (this.#socket !== socket) return;
    if (reason === "link_disabled") {
      this.#lost(
        "Socket Mode is switched off on the app's page. Switch it on, or set SLACK_SIGNING_SECRET instead of SLACK_APP_TOKEN.",
      );
      return;
    }
    await this.#replace();
  }

  #lost(message: string): void {
    this.#socket?.close(1000);
    this.#socket = undefined;
    this.#failed(message);
  }

  #failed(message: string): void {
    this.#failures += 1;
    // A connection that still stands is not lost because no second one could be had.
    if (this.#socket !== undefined) return;
    this.state = { connection: "failed", error: { at: this.#host.now(), message } };
    this.#host.changed();
    clearTimeout(this.#retry ?? null);
    this.#retry = setTimeout(() => {
      if (this.#socket === undefined) this.#host.waitUntil(this.#replace());
    }, this.#wait());
  }

  #wait(): number {
    return WAITS_MS[Math.min(this.#failures, WAITS_MS.length) - 1] ?? LOOK_EVERY_MS;
  }
}

function reasonOf(answer: Extract<SlackReply, { ok: false }>): string {
  return answer.error === undefined
    ? answer.reason
    : `SLACK_APP_TOKEN was refused: ${answer.reason}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
