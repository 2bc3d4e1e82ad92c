import type { Server } from "node:http";
import { createServer } from "../http.ts";
import type { Devices } from "./devices.ts";
import { createHttpProxy } from "./http-proxy.ts";
import { proxyUpgrade } from "./websocket.ts";

export interface FrontParts {
  gatewayPort: number;
  isReady(): boolean;
  /** Undefined until the supervisor was booted. */
  devices(): Devices | undefined;
  onUnrecordedDevice(deviceId: string): void;
}

export interface Front {
  server: Server;
  /** Open sockets and requests under way. */
  connections(): number;
  close(): void;
}

/** The one port of the sandbox that clients reach, always through the Worker. */
export function createFront(parts: FrontParts): Front {
  const proxy = createHttpProxy(parts);
  const sockets = new Set<{ destroy(): void }>();
  let requests = 0;

  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 });
  server.on("request", (request, response) => {
    requests += 1;
    response.once("close", () => (requests -= 1));
    proxy.handle(request, response);
  });
  server.on("upgrade", (request, socket, head) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    proxyUpgrade(request, socket, head, parts);
  });

  return {
    server,
    connections: () => requests + sockets.size,
    close() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      server.close();
      proxy.close();
    },
  };
}
