/**
 * The device guard: what may pass before the gateway has let a device in. Fails closed: a frame
 * that is not expected here ends the connection, and so does a device that the gateway accepts
 * although no admin recorded it.
 *
 * The gateway checks that the device owns the key its id is made of; its `ok` to a connect request
 * is the proof that the request really came from that device.
 */
import { isUtf8 } from "node:buffer";
import * as z from "zod";
import type { Frame } from "./frames.ts";
import { OPCODE } from "./frames.ts";

/** Where a handshake stands: the client's request unseen, unanswered, or answered with no. */
export type Handshake =
  | { phase: "greeting" }
  | { phase: "asked"; requestId: string; deviceId: string }
  | { phase: "declined" };

export type Step =
  /** The frame goes on; the handshake is in this phase now. */
  | { action: "forward"; next: Handshake }
  | { action: "drop" }
  /** The gateway let a recorded device in: from here on nothing is looked at. */
  | { action: "open"; deviceId: string }
  | { action: "refuse"; reason: Refusal; deviceId?: string };

export type Refusal = "not-a-handshake" | "device-required" | "device-not-approved";

/** Largest `connect` request; a real one has some 1.5 KB. */
export const MAX_REQUEST_BYTES = 65_535;
/** Largest answer to it; a real one has some 40 KB. */
export const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

const connectRequest = z.object({
  type: z.literal("req"),
  id: z.string().min(1).max(200),
  method: z.literal("connect"),
  params: z.object({ device: z.object({ id: z.string().regex(/^[0-9a-f]{64}$/) }).optional() }),
});

const answer = z.object({ type: z.literal("res"), id: z.string(), ok: z.boolean() });
const challenge = z.object({ type: z.literal("event"), event: z.literal("connect.challenge") });

export function onClientFrame(state: Handshake, frame: Frame): Step {
  if (isControl(frame)) return { action: "forward", next: state };
  // The gateway is about to end this connection, and until then nothing more is asked of it.
  if (state.phase === "declined") return { action: "drop" };
  const request = connectRequest.safeParse(readJson(frame));
  if (state.phase !== "greeting" || !request.success) return notAHandshake;
  const deviceId = request.data.params.device?.id;
  if (deviceId === undefined) return { action: "refuse", reason: "device-required" };
  return { action: "forward", next: { phase: "asked", requestId: request.data.id, deviceId } };
}

export function onGatewayFrame(
  state: Handshake,
  frame: Frame,
  isApproved: (deviceId: string) => boolean,
): Step {
  if (isControl(frame)) return { action: "forward", next: state };
  const message = readJson(frame);
  if (challenge.safeParse(message).success) return { action: "forward", next: state };
  if (state.phase !== "asked") return notAHandshake;
  const reply = answer.safeParse(message);
  if (!reply.success || reply.data.id !== state.requestId) return notAHandshake;
  if (!reply.data.ok) return { action: "forward", next: { phase: "declined" } };
  const { deviceId } = state;
  if (!isApproved(deviceId)) return { action: "refuse", reason: "device-not-approved", deviceId };
  return { action: "open", deviceId };
}

const notAHandshake: Step = { action: "refuse", reason: "not-a-handshake" };

function isControl(frame: Frame): boolean {
  return frame.opcode >= OPCODE.close;
}

function readJson(frame: Frame): unknown {
  if (frame.opcode !== OPCODE.text || !isUtf8(frame.payload)) return undefined;
  try {
    return JSON.parse(frame.payload.toString("utf8"));
  } catch {
    return undefined;
  }
}
