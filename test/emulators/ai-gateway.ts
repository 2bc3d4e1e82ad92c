/**
 * Cloudflare AI Gateway's provider-native endpoints:
 * https://developers.cloudflare.com/ai-gateway/usage/providers/ and …/configuration/authentication/.
 *
 * It checks its own token, takes its own headers off, and passes the rest to the provider's emulator
 * at the provider's own path, with a stored key where none came.
 */
import { createServer, request as outgoing } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { once } from "node:events";

export interface GatewayEmulator {
  /** `…/v1/account/gateway`. */
  url: string;
  requests: GatewayRequest[];
  /** The next request is answered by the gateway itself, with this status. */
  fail(status: number): void;
  close(): Promise<void>;
}

export interface GatewayRequest {
  path: string;
  headers: IncomingHttpHeaders;
  /** Of the answer, once it began. */
  contentType?: string | undefined;
}

export interface GatewayOptions {
  /** Set for an authenticated gateway. */
  token?: string;
  /** Base address of each provider's section, and the header of a key that the gateway keeps. */
  providers: Record<string, { url: string; storedKey?: [name: string, value: string] }>;
}

export async function startAiGateway(options: GatewayOptions): Promise<GatewayEmulator> {
  const requests: GatewayRequest[] = [];
  let failure: number | undefined;
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    const seen: GatewayRequest = { path, headers: request.headers };
    requests.push(seen);
    const refuse = (status: number, message: string) => {
      response.writeHead(status, { "content-type": "application/json" });
      const error = [{ code: 2009, message }];
      response.end(JSON.stringify({ success: false, result: [], messages: [], error }));
    };
    const [, section = "", rest = ""] = /^\/v1\/acct\/gw\/([\w-]+)(\/.*)$/.exec(path) ?? [];
    const provider = options.providers[section];
    const authorized =
      options.token === undefined ||
      request.headers["cf-aig-authorization"] === `Bearer ${options.token}`;
    if (!authorized) return refuse(401, "Unauthorized");
    if (provider === undefined) return refuse(400, "Provider not found");
    const status = failure;
    failure = undefined;
    if (status !== undefined) return refuse(status, "The gateway is in trouble");
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => !name.startsWith("cf-aig-")),
    );
    const [name, value] = provider.storedKey ?? [];
    if (name !== undefined && headers[name] === undefined) headers[name] = value;
    const onward = outgoing(`${provider.url}${rest}`, { method: request.method, headers });
    onward.on("response", (answer) => {
      seen.contentType = answer.headers["content-type"];
      response.writeHead(answer.statusCode ?? 502, {
        ...answer.headers,
        "cf-aig-log-id": "01JADMCQQQBWH3NXZ5GCRN98DP",
        "cf-aig-cache-status": "MISS",
      });
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");
  return {
    url: `http://127.0.0.1:${address.port}/v1/acct/gw`,
    requests,
    fail(status) {
      failure = status;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
