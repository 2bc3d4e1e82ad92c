// A program in the gateway's place that moves bytes: `GET /bytes?n=` sends n of them, `POST /sink`
// counts what it gets. Of the gateway's protocol 4 it speaks what makes the supervisor call it ready.
import http from "node:http";
import { WebSocketServer } from "ws";

if (!process.argv.includes("gateway")) process.exit(0);
const port = Number(process.argv[process.argv.indexOf("--port") + 1]);
const CHUNK = Buffer.alloc(64 * 1024, "x");

/** @param {http.ServerResponse} response @param {unknown} value */
function json(response, value) {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

/** @param {http.ServerResponse} response @param {number} count */
function sendBytes(response, count) {
  response.writeHead(200, {
    "content-type": "application/octet-stream",
    "content-length": count,
  });
  let left = count;
  const more = () => {
    while (left > 0) {
      const chunk = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
      left -= chunk.length;
      if (!response.write(chunk)) return void response.once("drain", more);
    }
    response.end();
  };
  more();
}

const server = http.createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://gateway");
  if (url.pathname === "/bytes") return sendBytes(response, Number(url.searchParams.get("n")));
  if (url.pathname === "/sink") {
    let count = 0;
    request.on("data", (chunk) => (count += chunk.length));
    request.on("end", () => json(response, { count }));
    return;
  }
  json(response, { ok: true, ready: true });
});

new WebSocketServer({ server }).on("connection", (socket) => {
  const send = (/** @type {object} */ frame) => socket.send(JSON.stringify(frame));
  send({
    type: "event",
    event: "connect.challenge",
    payload: { nonce: "stand-in", ts: Date.now() },
  });
  socket.on("message", (data) => {
    const { id, method } = JSON.parse(String(data));
    const payload =
      method === "connect"
        ? { type: "hello-ok", protocol: 4, server: { version: "stand-in" } }
        : { counts: { totalActive: 0 } };
    send({ type: "res", id, ok: true, payload });
  });
});
server.listen(port, "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
