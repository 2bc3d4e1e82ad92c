/** A small web site on loopback for a browser under test to visit. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";

export interface Site {
  origin: string;
  port: number;
  /** Paths that were asked for, oldest first. */
  asked: string[];
  close(): Promise<void>;
}

type Pages = Record<string, (request: IncomingMessage, response: ServerResponse) => void>;

const FRONT = `<!doctype html><title>Front</title><h1>Front</h1>
<input id="name"><button id="go" onclick="document.title='hello '+document.querySelector('#name').value">Go</button>
<a id="next" href="/second">second</a><a id="file" href="/file" download>file</a>`;

const PAGES: Pages = {
  "/": (_request, response) => html(response, FRONT),
  "/second": (_request, response) => html(response, "<title>Second</title><p>second page"),
  "/frame": (_request, response) => html(response, `<title>Frame</title><iframe src="/second">`),
  "/worker": (_request, response) =>
    html(
      response,
      `<title>Worker</title><script>new Worker("/worker.js").onmessage=e=>document.title=e.data</script>`,
    ),
  "/worker.js": (_request, response) => {
    response.writeHead(200, { "Content-Type": "text/javascript" });
    response.end("postMessage('from the worker')");
  },
  "/socket": (_request, response) =>
    html(
      response,
      `<title>Socket</title><script>const s=new WebSocket("ws://"+location.host+"/ws");
s.onopen=()=>s.send("echo");s.onmessage=e=>document.title=e.data</script>`,
    ),
  "/file": (_request, response) => {
    response.writeHead(200, { "Content-Type": "application/octet-stream" });
    response.end(Buffer.alloc(100_000, 7));
  },
  "/data": (_request, response) => {
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end('{"from":"the site"}');
  },
};

export async function startSite(pages: Pages = {}): Promise<Site> {
  const asked: string[] = [];
  const all = { ...PAGES, ...pages };
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").replace(/\?.*$/s, "");
    asked.push(path);
    const page = all[path];
    if (page === undefined) response.writeHead(404).end("nothing here");
    else page(request, response);
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket: Duplex, head) => {
    asked.push(request.url ?? "");
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on("message", (data) => client.send(String(data)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    asked,
    async close() {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function html(response: ServerResponse, text: string): void {
  response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(text);
}
