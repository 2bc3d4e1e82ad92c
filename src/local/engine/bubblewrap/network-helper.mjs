// Runs in a sandbox's network namespace, and in that one only: outside its pid and mount namespaces,
// where nothing in the sandbox can see it. It opens the sockets that capture what leaves, hands them
// to the engine over the IPC channel, and then dials ports inside whenever the engine asks.
// Plain JavaScript: it starts once per sandbox, and stripping types would cost more than it does.
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";

/** @typedef {{id: number, host: string, port: number}} Dial */

const NAME_PORT = 53;
const CAPTURED_PORTS = [80, 443];

/**
 * Hands a listening socket over. Sent, it is open in both processes, and the kernel would give some
 * of the connections to this one: so it is closed here.
 * @param {object} message @param {import("node:net").Server | import("node:dgram").Socket} handle
 */
function handOver(message, handle) {
  process.send?.(message, handle, {}, () => handle.close());
}

/** @param {string} kind @param {import("node:net").ListenOptions} where */
function listen(kind, where) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(where, () => {
      handOver({ kind, port: where.port }, server);
      resolve(undefined);
    });
  });
}

/** Listens on every address: IPv6 sockets take IPv4 too, where there is IPv6 at all. @param {number} port */
async function capture(port) {
  try {
    await listen("capture", { port, host: "::" });
  } catch {
    await listen("capture", { port, host: "0.0.0.0" });
  }
}

/** @returns {Promise<void>} */
function answerNames() {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    socket.once("error", reject);
    socket.bind(NAME_PORT, "127.0.0.1", () => {
      handOver({ kind: "names-udp" }, socket);
      resolve();
    });
  });
}

process.on("message", (/** @type {Dial} */ { id, host, port }) => {
  const socket = connect({ host, port, allowHalfOpen: true });
  // Nothing may be read here: bytes that arrive before the handover belong to the engine.
  socket.pause();
  socket.once("connect", () => process.send?.({ kind: "dialled", id }, socket));
  socket.once("error", (error) => process.send?.({ kind: "refused", id, reason: error.message }));
});
// The channel closes when the engine ends, however it ends.
process.on("disconnect", () => process.exit(0));

try {
  for (const port of CAPTURED_PORTS) await capture(port);
  await listen("names-tcp", { port: NAME_PORT, host: "127.0.0.1" });
  await answerNames();
  process.send?.({ kind: "ready" });
} catch (error) {
  process.send?.({ kind: "failed", reason: String(error) });
}
