/**
 * Hands a message of the Durable Object to one of the gateway's listeners on loopback. Only these
 * two can be named, and only by whoever holds the control token.
 */
import type { DeliverReply, DeliverRequest } from "../protocol/control.ts";
import { Agent, request as httpRequest } from "./http.ts";

const ANSWER_MS = 20_000;
const MAX_ANSWER_BYTES = 64_000;

export interface Deliverer {
  deliver(request: DeliverRequest): Promise<DeliverReply>;
  close(): void;
}

export function createDeliverer(ports: Record<DeliverRequest["listener"], number>): Deliverer {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });

  function deliver({ listener, path, headers, body }: DeliverRequest): Promise<DeliverReply> {
    return new Promise((resolve) => {
      const fail = (message: string) => resolve({ ok: false, message });
      const content = Buffer.from(body, "utf8");
      const post = httpRequest({
        agent,
        host: "127.0.0.1",
        port: ports[listener],
        method: "POST",
        path,
        headers: { ...headers, "content-length": content.length },
      });
      const late = setTimeout(() => post.destroy(new Error("no answer in time")), ANSWER_MS);
      post.on("error", (error) => {
        clearTimeout(late);
        fail(error.message);
      });
      post.on("response", (answer) => {
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
      post.end(content);
    });
  }

  return { deliver, close: () => agent.destroy() };
}
