// What runs in a sandbox under test: it serves, echoes, runs commands and reports what it can see.
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { connect } from "node:net";
import { createSocket } from "node:dgram";
import { WebSocket, WebSocketServer } from "ws";

const FRONT = Number(process.env["MOLTWORKER_FRONT_PORT"] ?? 8080);
const CONTROL = Number(process.env["MOLTWORKER_CONTROL_PORT"] ?? 8081);

/** @param {string} host @param {number} port */
function tryTcp(host, port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 3000 });
    socket.once("connect", () => resolve("connected")).once("timeout", () => resolve("timeout"));
    socket.once("error", (/** @type {NodeJS.ErrnoException} */ error) => resolve(error.code));
  }).finally(() => {});
}

/** @param {string} host @param {number} port */
function tryUdp(host, port) {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.send("x", port, host, (error) => {
      resolve(error === null ? "sent" : /** @type {NodeJS.ErrnoException} */ (error).code);
      socket.close();
    });
  });
}

/** @param {string} address */
function tryWebSocket(address) {
  return new Promise((resolve) => {
    const socket = new WebSocket(address);
    socket.on("open", () => socket.send("ping"));
    socket.on("message", (data) => {
      resolve(String(data));
      socket.close();
    });
    socket.on("error", (error) => resolve(`failed: ${error.message}`));
  });
}

/** @param {string[]} words @param {Record<string, string>} env */
function run(words, env) {
  const [program = "", ...rest] = words;
  return new Promise((resolve) => {
    execFile(
      program,
      rest,
      { env: { ...process.env, ...env }, timeout: 30_000 },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : (error.code ?? String(error)), stdout, stderr }),
    );
  });
}

/** @type {Record<string, (query: any) => Promise<unknown>>} */
const operations = {
  "/hello": async () => ({ hello: true, pid: process.pid, env: process.env, argv: process.argv }),
  "/run": ({ words, env = {} }) => run(words, env),
  "/fetch": async ({ url, init }) => {
    try {
      const response = await fetch(url, init);
      return { status: response.status, text: await response.text() };
    } catch (error) {
      return { failed: String(error instanceof Error && error.cause ? error.cause : error) };
    }
  },
  "/tcp": ({ host, port }) => tryTcp(host, port),
  "/udp": ({ host, port }) => tryUdp(host, port),
  "/websocket": ({ url }) => tryWebSocket(url),
  "/exit": async ({ code }) => {
    setTimeout(() => process.exit(code), 20);
    return "soon";
  },
};

/** @param {number} port */
function serve(port) {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://sandbox");
    if (url.pathname === "/sink") {
      let bytes = 0;
      request.on("data", (chunk) => (bytes += chunk.length));
      request.on("end", () => response.end(JSON.stringify({ bytes })));
      return;
    }
    if (url.pathname === "/source") {
      let left = Number(url.searchParams.get("bytes"));
      const chunk = Buffer.alloc(65_536, 97);
      const more = () => {
        while (left > 0) {
          const part = chunk.subarray(0, Math.min(left, chunk.length));
          left -= part.length;
          if (!response.write(part)) return void response.once("drain", more);
        }
        response.end();
      };
      return more();
    }
    const operation = operations[url.pathname];
    if (operation === undefined) return void response.writeHead(404).end();
    operation(JSON.parse(url.searchParams.get("q") ?? "{}")).then(
      (answer) => response.end(JSON.stringify({ port, answer })),
      (error) => response.writeHead(500).end(String(error)),
    );
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) =>
    socket.on("message", (data, binary) => socket.send(data, { binary })),
  );
  server.listen(port, "0.0.0.0");
}

if (process.env["IGNORE_SIGTERM"] === undefined) process.on("SIGTERM", () => process.exit(43));
else process.on("SIGTERM", () => console.log("ignoring SIGTERM"));
serve(FRONT);
serve(CONTROL);
console.log("serving");
console.error("a line on standard error");
