/**
 * Hands a message of the Durable Object to one of the gateway's listeners on loopback. Only these
 * two can be named, and only by whoever holds the control token.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { BootDocument } from "../protocol/boot.ts";
import type { DeliverReply, DeliverRequest } from "../protocol/control.ts";
import type { TakenMessage } from "./agent-home/task.ts";
import { HandedOver } from "./handed-over.ts";
import { Agent, request as httpRequest } from "./http.ts";
import type { Log } from "./log.ts";

const ANSWER_MS = 20_000;
const MAX_ANSWER_BYTES = 64_000;
/** The gateway is ready some seconds before its plugins listen, and may end once more meanwhile. */
const AGAIN_PAUSE_MS = 1_000;
const AGAIN_LONG_PAUSE_MS = 15_000;
const AGAIN_SOON = 120;

export interface Deliverer {
  deliver(request: DeliverRequest): Promise<DeliverReply>;
  /** Messages that the gateway took lately, oldest first. */
  taken(): TakenMessage[];
  /** What was handed over as these events. */
  requests(eventIds: readonly string[]): DeliverRequest[];
  /** Hands over again what the gateway lost. Resolves when nothing of this and of earlier calls is left; never rejects. */
  again(requests: readonly DeliverRequest[]): Promise<unknown>;
  close(): void;
}

export function createDeliverer(
  ports: Record<DeliverRequest["listener"], number>,
  before: NonNullable<BootDocument["handedOver"]>,
  log: Log,
): Deliverer {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const handedOver = new HandedOver(before);
  const closing = new AbortController();
  let pending: Promise<unknown> = Promise.resolve();

  async function deliver(request: DeliverRequest): Promise<DeliverReply> {
    const reply = await post(request);
    if (reply.ok && reply.status === 200) handedOver.took(request, Date.now());
    return reply;
  }

  function again(requests: readonly DeliverRequest[]): Promise<unknown> {
    pending = Promise.all([pending, inOrder(requests)]);
    return pending;
  }

  async function inOrder(requests: readonly DeliverRequest[]): Promise<void> {
    for (const request of requests) await untilTaken(request);
  }

  /** As long as this sandbox lives: nobody else may have the message any more. */
  async function untilTaken(request: DeliverRequest): Promise<void> {
    const { signal } = closing;
    for (let tries = 1; !signal.aborted; tries += 1) {
      const reply = await deliver(request);
      if (reply.ok && reply.status === 200) return;
      if (tries === AGAIN_SOON) log.error("a message that the gateway lost is not taken again");
      const pause = tries < AGAIN_SOON ? AGAIN_PAUSE_MS : AGAIN_LONG_PAUSE_MS;
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  }

  function post({ listener, path, headers, body }: DeliverRequest): Promise<DeliverReply> {
    return new Promise((resolve) => {
      const fail = (message: string) => resolve({ ok: false, message });
      const content = Buffer.from(body, "utf8");
      const sent = httpRequest({
        agent,
        host: "127.0.0.1",
        port: ports[listener],
        method: "POST",
        path,
        headers: { ...headers, "content-length": content.length },
      });
      const late = setTimeout(() => sent.destroy(new Error("no answer in time")), ANSWER_MS);
      sent.on("error", (error) => {
        clearTimeout(late);
        fail(error.message);
      });
      sent.on("response", (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (chunk: string) => {
          text += chunk;
          if (text.length > MAX_ANSWER_BYTES) answer.destroy(new Error("the answer is too long"));
        });
        answer.on("error", (error) => fail(error.message));
        answer.on("end", () => {
          clearTimeout(late);
          resolve({
            ok: true,
            status: answer.statusCode ?? 0,
            headers: Object.fromEntries(
              Object.entries(answer.headers).flatMap(([name, value]) =>
                typeof value === "string" ? [[name, value]] : [],
              ),
            ),
            body: text,
          });
        });
      });
      sent.end(content);
    });
  }

  return {
    deliver,
    taken: () => handedOver.messages(Date.now()),
    requests: (eventIds) => handedOver.requests(eventIds),
    again,
    close() {
      closing.abort();
      agent.destroy();
    },
  };
}
