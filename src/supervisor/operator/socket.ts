/**
 * A WebSocket client (RFC 6455) for one peer on loopback. Node's own would bring its whole fetch
 * implementation into memory and follow the proxy variables of the sandbox.
 */
import { createHash, randomBytes } from "node:crypto";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { OPCODE, createFrameReader, maskedFrame } from "../front/frames.ts";
import type { Frame } from "../front/frames.ts";

export interface TextSocket {
  send(text: string): void;
  close(): void;
}

export interface TextSocketOptions {
  port: number;
  /** Called once the other side speaks WebSocket, and with every text after that. */
  onOpen(): void;
  onText(text: string): void;
  /** Called once, also when it was never open. */
  onClose(reason: string): void;
}

const MAX_PAYLOAD = 64 * 1024 * 1024;
const MAX_HEAD = 16_384;
/** RFC 6455 section 1.3. */
const ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export function openTextSocket(options: TextSocketOptions): TextSocket {
  const key = randomBytes(16).toString("base64");
  const reader = createFrameReader({ masked: false, maxPayload: MAX_PAYLOAD });
  let reason = "connection lost";
  let head: Buffer | undefined = Buffer.alloc(0);
  const socket: Socket = connect({ host: "127.0.0.1", port: options.port });
  socket.setNoDelay(true);

  socket.once("connect", () => {
    socket.write(
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${options.port}\r\nConnection: Upgrade\r\n` +
        `Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
  });
  socket.on("error", (error) => (reason = error.message));
  socket.once("close", () => options.onClose(reason));
  socket.on("data", (chunk) => {
    const bytes = head === undefined ? chunk : readHead(head, chunk);
    if (bytes !== undefined) readFrames(bytes);
  });

  /** The bytes after the head, once it is complete. */
  function readHead(before: Buffer, chunk: Buffer): Buffer | undefined {
    head = Buffer.concat([before, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return head.length > MAX_HEAD ? fail("no WebSocket answer") : undefined;
    const said = head.subarray(0, end).toString("latin1");
    const accept = createHash("sha1")
      .update(key + ACCEPT_GUID)
      .digest("base64");
    const agreed = /^sec-websocket-accept:\s*(\S+)\s*$/im.exec(said)?.[1] === accept;
    if (!agreed || !said.startsWith("HTTP/1.1 101 ")) return fail(said.split("\r\n")[0] ?? "");
    const rest = head.subarray(end + 4);
    head = undefined;
    options.onOpen();
    return rest;
  }

  function readFrames(bytes: Buffer): void {
    const result = reader.push(bytes);
    if (!result.ok) return fail(result.problem);
    for (const frame of result.frames) onFrame(frame);
  }

  function onFrame(frame: Frame): void {
    if (frame.opcode === OPCODE.text) options.onText(frame.payload.toString("utf8"));
    if (frame.opcode === OPCODE.ping) socket.write(maskedFrame(OPCODE.pong, frame.payload));
    if (frame.opcode === OPCODE.close) {
      const code = frame.payload.length >= 2 ? frame.payload.readUInt16BE(0) : 1005;
      reason = `closed ${code} ${frame.payload.subarray(2).toString("utf8")}`.trim();
      socket.end(maskedFrame(OPCODE.close, frame.payload));
    }
  }

  function fail(why: string): undefined {
    reason = why;
    socket.destroy();
  }

  return {
    send: (text) => void socket.write(maskedFrame(OPCODE.text, Buffer.from(text))),
    close: () => void socket.destroy(),
  };
}
