/** Carries the frames of one upgraded connection: inspected until the device is known, then blind. */
import type { Duplex } from "node:stream";
import type { Devices } from "./devices.ts";
import { endSocket } from "./farewell.ts";
import { closeFrame, createFrameReader } from "./frames.ts";
import type { FrameReader } from "./frames.ts";
import type { Handshake, Refusal, Step } from "./handshake.ts";
import { MAX_ANSWER_BYTES, MAX_REQUEST_BYTES, onClientFrame, onGatewayFrame } from "./handshake.ts";

export interface GuardedSocketOptions {
  client: Duplex;
  gateway: Duplex;
  /** Bytes that arrived with the upgrade and its answer. */
  clientHead: Buffer;
  gatewayHead: Buffer;
  devices: Devices;
  onUnrecordedDevice(deviceId: string): void;
}

const HANDSHAKE_MS = 60_000;
const NOTHING = Buffer.alloc(0);
const POLICY_VIOLATION = 1008;

const SAID: Record<Refusal, string> = {
  "not-a-handshake": "connect expected",
  "device-required": "device identity required",
  "device-not-approved": "device not approved",
};

export function guardSocket(options: GuardedSocketOptions): void {
  const { client, gateway, devices } = options;
  const fromClient = createFrameReader({ masked: true, maxPayload: MAX_REQUEST_BYTES });
  const fromGateway = createFrameReader({ masked: false, maxPayload: MAX_ANSWER_BYTES });
  let handshake: Handshake = { phase: "greeting" };
  let over = false;
  const timer = setTimeout(() => refuse("not-a-handshake"), HANDSHAKE_MS);

  const onClientData = (chunk: Buffer) => inspect(fromClient, chunk, gateway, forClient);
  const onGatewayData = (chunk: Buffer) => inspect(fromGateway, chunk, client, forGateway);
  client.on("data", onClientData);
  gateway.on("data", onGatewayData);

  const end = () => {
    over = true;
    clearTimeout(timer);
    client.destroy();
    gateway.destroy();
  };
  client.once("close", end);
  gateway.once("close", () => {
    // What the gateway said last still has to reach the client.
    clearTimeout(timer);
    endSocket(client, NOTHING);
  });
  if (options.clientHead.length > 0) onClientData(options.clientHead);
  if (options.gatewayHead.length > 0) onGatewayData(options.gatewayHead);

  function forClient(frame: Parameters<typeof onClientFrame>[1]): Step {
    const step = onClientFrame(handshake, frame);
    // Whatever the client sends before the answer waits: it may not act before it is let in.
    if (step.action === "forward" && step.next.phase === "asked") client.pause();
    return step;
  }

  function forGateway(frame: Parameters<typeof onGatewayFrame>[1]): Step {
    const step = onGatewayFrame(handshake, frame, (deviceId) => devices.isApproved(deviceId));
    // The client's answer to the gateway's close frame still has to pass.
    if (step.action === "forward" && step.next.phase === "declined") client.resume();
    return step;
  }

  function inspect(
    reader: FrameReader,
    chunk: Buffer,
    to: Duplex,
    decide: (frame: Parameters<typeof onClientFrame>[1]) => Step,
  ): void {
    if (over) return;
    const result = reader.push(chunk);
    if (!result.ok) return refuse("not-a-handshake");
    for (const [index, frame] of result.frames.entries()) {
      const step = decide(frame);
      if (step.action === "refuse") return refuse(step.reason, step.deviceId);
      if (step.action === "drop") continue;
      to.write(frame.raw);
      if (step.action === "forward") handshake = step.next;
      if (step.action === "open") {
        for (const later of result.frames.slice(index + 1)) to.write(later.raw);
        return open(step.deviceId);
      }
    }
  }

  function open(deviceId: string): void {
    over = true;
    clearTimeout(timer);
    client.off("data", onClientData);
    gateway.off("data", onGatewayData);
    const release = devices.hold(deviceId, end);
    client.once("close", release);
    client.write(fromGateway.rest());
    gateway.write(fromClient.rest());
    client.pipe(gateway);
    gateway.pipe(client);
  }

  function refuse(reason: Refusal, deviceId?: string): void {
    if (over) return;
    over = true;
    clearTimeout(timer);
    gateway.destroy();
    client.off("data", onClientData);
    endSocket(client, closeFrame(POLICY_VIOLATION, SAID[reason]));
    if (reason === "device-not-approved" && deviceId !== undefined) {
      options.onUnrecordedDevice(deviceId);
    }
  }
}
