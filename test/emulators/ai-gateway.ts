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
  requests: { path: string; headers: IncomingHttpHeaders }[];
  close(): Promise<void>;
}

export interface GatewayOptions {
  /** Set for an authenticated gateway. */
  token?: string;
  /** Base address of each provider's section, and the header of a key that the gateway keeps. */
  providers: Record<string, { url: string; storedKey?: [name: string, value: string] }>;
}

export async function startAiGateway(options: GatewayOptions): Promise<GatewayEmulator> {
  const requests: GatewayEmulator["requests"] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    requests.push({ path, headers: request.headers });
    const [, section = "", rest = ""] = /^\/v1\/acct\/gw\/([\w-]+)(\/.*)$/.exec(path) ?? [];
    const provider = options.providers[section];
    const authorized =
      options.token === undefined ||
      request.headers["cf-aig-authorization"] === `Bearer ${options.token}`;
    if (provider === undefined || !authorized) {
      response.writeHead(authorized ? 400 : 401, { "content-type": "application/json" });
      const message = authorized ? "Provider not found" : "Unauthorized";
      response.end(
        JSON.stringify({
          success: false,
          result: [],
          messages: [],
          error: [{ code: 2009, message }],
        }),
      );
      return;
    }
    const headers = Object.fromEntries(
      Object.entries(request.headers).filter(([name]) => !name.startsWith("cf-aig-")),
    );
    const [name, value] = provider.storedKey ?? [];
    if (name !== undefined && headers[name] === undefined) headers[name] = value;
    const onward = outgoing(`${provider.url}${rest}`, { method: request.method, headers });
    onward.on("response", (answer) => {
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
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
