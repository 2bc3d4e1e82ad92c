/**
 * The Worker's side of the backups as a process of its own, over a bucket on disk. One argument: its
 * folder, and the age identity. Says its port; `POST /claim/<start>` is a start, `GET /used` its costs.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { workerSide } from "../test/support/backup-rig.ts";
import { diskBucket } from "./disk-bucket.ts";

const [, , folder = "", identity = ""] = process.argv;
const bucket = diskBucket(folder);
const worker = await workerSide(bucket, { identities: [identity] });
let start = 0;

const server = createServer((request, response) => {
  void (async () => {
    const reply = await answer(request);
    response.writeHead(reply.status);
    if (reply.body === null) return response.end();
    for await (const chunk of reply.body) {
      if (!response.write(chunk)) await once(response, "drain");
    }
    return response.end();
  })().catch(() => response.destroy());
});

async function answer(request: IncomingMessage): Promise<Response> {
  const { method = "GET", url = "/" } = request;
  if (url.startsWith("/claim/")) {
    start = Number(url.slice("/claim/".length));
    const claimed = await worker.backups.claim(start);
    return Response.json(claimed.ok ? {} : claimed, { status: claimed.ok ? 200 : 500 });
  }
  if (url === "/used") {
    return Response.json({ calls: bucket.calls, storedBytes: bucket.storedBytes() });
  }
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
  const hasBody = method === "PUT" || (method === "POST" && headers.has("content-length"));
  const body = hasBody ? { body: ReadableStream.from(bytesOf(request)) } : {};
  return worker.request(start, `http://host${url}`, { method, headers, ...body });
}

async function* bytesOf(request: Readable): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) yield Uint8Array.from(chunk);
}

server.listen(0, "127.0.0.1");
await once(server, "listening");
const address = server.address();
if (typeof address === "object" && address !== null) process.stdout.write(`${address.port}\n`);
