import { get } from "../http.ts";
import { connect } from "node:net";
import * as z from "zod";

const CONNECT_MS = 2_000;
const MAX_BODY_BYTES = 64_000;

const readyBody = z.object({ ready: z.boolean() });
const liveBody = z.object({ ok: z.boolean() });

/** True when `/readyz` says so in JSON: the gateway answers unknown paths with 200 and a page. */
export async function isGatewayReady(port: number, timeoutMs: number): Promise<boolean> {
  const body = readyBody.safeParse(await getJson(port, "/readyz", timeoutMs));
  return body.success && body.data.ready;
}

export async function isGatewayAlive(port: number, timeoutMs: number): Promise<boolean> {
  const body = liveBody.safeParse(await getJson(port, "/healthz", timeoutMs));
  return body.success && body.data.ok;
}

/** Whoever listens there before the gateway was started is not the gateway. */
export function isPortTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    const settle = (taken: boolean) => {
      socket.destroy();
      resolve(taken);
    };
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
    socket.setTimeout(CONNECT_MS, () => settle(true));
  });
}

/** Undefined for anything but a JSON body in time. */
function getJson(port: number, path: string, timeoutMs: number): Promise<unknown> {
  return new Promise((resolve) => {
    const request = get(
      { host: "127.0.0.1", port, path, agent: false, signal: AbortSignal.timeout(timeoutMs) },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
          if (text.length > MAX_BODY_BYTES) response.destroy();
        });
        response.on("close", () => resolve(parse(text)));
        response.on("error", () => resolve(undefined));
      },
    );
    request.on("error", () => resolve(undefined));
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
