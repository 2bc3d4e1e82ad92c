import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { createAuthority } from "./certificates.ts";
import { relayRequests } from "./relay-requests.ts";

const REQUEST = "POST /send HTTP/1.1\r\nHost: api.example\r\nContent-Length: 2\r\n\r\nhi";
const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A client, and the far end of the way out that its connection was given. */
async function joined(secure: boolean): Promise<{ client: Socket; far: Socket }> {
  const farServer = createServer();
  const farPort = await listening(farServer);
  const farEnd = once(farServer, "connection");
  const secureContext = secure
    ? await (await createAuthority()).contextFor("x.example")
    : undefined;
  const door = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    const inner =
      secureContext === undefined
        ? socket
        : new TLSSocket(socket, { isServer: true, secureContext });
    const upstream = connect(farPort, "127.0.0.1");
    relayRequests(inner, upstream, () => socket.resetAndDestroy());
  });
  const port = await listening(door);
  const client = secure
    ? connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false })
    : connect(port, "127.0.0.1");
  await once(client, secure ? "secureConnect" : "connect");
  const [far] = (await farEnd) as [Socket];
  closers.push(
    () => client.destroy(),
    () => far.destroy(),
  );
  return { client, far };
}

/** How the client saw its connection end. */
async function ending(client: Socket): Promise<string> {
  const failed = once(client, "error").then(([error]) => (error as NodeJS.ErrnoException).code);
  client.resume();
  return (await Promise.race([failed, once(client, "end").then(() => "in order")])) ?? "unknown";
}

describe.each([
  ["plain", false],
  ["TLS", true],
])("a client's connection (%s) whose way out goes", (_name, secure) => {
  it.each<[string, (far: Socket) => unknown]>([
    ["ends", (far) => far.end()],
    ["is reset", (far) => far.resetAndDestroy()],
  ])("is reset when the way out %s with its request unanswered", async (_how, go) => {
    const { client, far } = await joined(secure);
    const asked = once(far, "data");
    client.write(REQUEST);
    await asked;
    const seen = ending(client);
    go(far);
    expect(await seen).toBe("ECONNRESET");
  });

  it("ends in order when nothing is unanswered, and the answer is there whole", async () => {
    const { client, far } = await joined(secure);
    const asked = once(far, "data");
    client.write(REQUEST);
    await asked;
    const heard: Buffer[] = [];
    client.on("data", (chunk: Buffer) => heard.push(chunk));
    const seen = ending(client);
    far.end(ANSWER);
    expect(await seen).toBe("in order");
    expect(Buffer.concat(heard).toString()).toBe(ANSWER);
  });

  it("ends in order when the answer came before the rest of the request", async () => {
    const { client, far } = await joined(secure);
    const asked = once(far, "data");
    client.write(REQUEST);
    await asked;
    const answered = once(client, "data");
    far.write(ANSWER);
    await answered;
    const rest = once(far, "data");
    client.write("the rest of a body that nobody wants");
    await rest;
    const seen = ending(client);
    far.end();
    expect(await seen).toBe("in order");
  });
});
