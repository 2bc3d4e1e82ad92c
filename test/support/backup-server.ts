/** The Worker's side of the backups as an HTTP server, for sandboxes that are processes of their own. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { WorkerSide } from "./backup-rig.ts";

export interface BackupServer {
  origin: string;
  close(): void;
}

/**
 * @param start the sandbox that calls
 * @param done told of each call when it is through and before it is answered
 */
export async function serveBackups(
  worker: WorkerSide,
  start: () => number,
  done: (call: { method: string; path: string; status: number }) => Promise<void> = () =>
    Promise.resolve(),
): Promise<BackupServer> {
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
      const headers = new Headers();
      for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
      const { method = "GET", url = "/" } = request;
      // As a proxy it is asked with the whole address.
      const path = new URL(url, "http://host").pathname;
      const body = chunks.length === 0 ? {} : { body: Buffer.concat(chunks) };
      const reply = await worker.request(start(), `http://host${path}`, {
        ...{ method, headers },
        ...body,
      });
      const bytes = Buffer.from(await reply.arrayBuffer());
      await done({ method, path, status: reply.status });
      response.writeHead(reply.status, Object.fromEntries(reply.headers));
      response.end(bytes);
    })().catch(() => response.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    origin: `http://127.0.0.1:${port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
