import { describe, expect, it } from "vitest";
import type { Frame } from "./frames.ts";
import { OPCODE } from "./frames.ts";
import type { Handshake } from "./handshake.ts";
import { onClientFrame, onGatewayFrame } from "./handshake.ts";

const deviceId = "a".repeat(64);
const greeting: Handshake = { phase: "greeting" };
const asked: Handshake = { phase: "asked", requestId: "1", deviceId };
const declined: Handshake = { phase: "declined" };
const connect = { type: "req", id: "1", method: "connect", params: { device: { id: deviceId } } };
const ok = { type: "res", id: "1", ok: true, payload: { type: "hello-ok" } };

function frame(message: unknown, opcode: number = OPCODE.text): Frame {
  const payload = Buffer.from(typeof message === "string" ? message : JSON.stringify(message));
  return { opcode, payload, raw: payload };
}

const approve = () => true;
const refuse = () => false;

describe("what a client may send first", () => {
  it("a connect request that names its device goes on", () => {
    expect(onClientFrame(greeting, frame(connect))).toEqual({ action: "forward", next: asked });
  });

  it.each([
    ["without a device", { ...connect, params: {} }, "device-required"],
    ["another call", { ...connect, method: "chat.send" }, "not-a-handshake"],
    ["a device that is no id", { ...connect, params: { device: { id: "A" } } }, "not-a-handshake"],
    ["a device that is null", { ...connect, params: { device: null } }, "not-a-handshake"],
    ["no id", { ...connect, id: "" }, "not-a-handshake"],
    ["a list", [connect], "not-a-handshake"],
    ["no JSON", "connect", "not-a-handshake"],
  ])("%s is refused", (_what, message, reason) => {
    expect(onClientFrame(greeting, frame(message))).toEqual({ action: "refuse", reason });
  });

  it("a binary frame is refused, a ping passes", () => {
    const binary = frame(connect, OPCODE.binary);
    expect(onClientFrame(greeting, binary)).toMatchObject({ action: "refuse" });
    expect(onClientFrame(greeting, frame("", OPCODE.ping))).toMatchObject({ action: "forward" });
  });

  it("bytes that are not UTF-8 are refused", () => {
    const payload = Buffer.concat([Buffer.from(JSON.stringify(connect)), Buffer.from([0xff])]);
    const bad = { opcode: OPCODE.text, payload, raw: payload };
    expect(onClientFrame(greeting, bad)).toMatchObject({ action: "refuse" });
  });

  it("nothing else is taken before the answer, and after a no it is dropped", () => {
    expect(onClientFrame(asked, frame(connect))).toMatchObject({ action: "refuse" });
    expect(onClientFrame(declined, frame(connect))).toEqual({ action: "drop" });
    expect(onClientFrame(declined, frame("", OPCODE.close))).toMatchObject({ action: "forward" });
  });
});

describe("what the gateway may answer", () => {
  it("its challenge goes on", () => {
    const challenge = { type: "event", event: "connect.challenge", payload: { nonce: "n", ts: 1 } };
    const step = { action: "forward", next: greeting };
    expect(onGatewayFrame(greeting, frame(challenge), refuse)).toEqual(step);
  });

  it("a yes opens the connection of a recorded device", () => {
    expect(onGatewayFrame(asked, frame(ok), approve)).toEqual({ action: "open", deviceId });
  });

  it("a yes to a device without a record is not passed on", () => {
    expect(onGatewayFrame(asked, frame(ok), refuse)).toEqual({
      action: "refuse",
      reason: "device-not-approved",
      deviceId,
    });
  });

  it("a no goes on", () => {
    const no = { type: "res", id: "1", ok: false, error: { code: "NOT_PAIRED" } };
    const step = { action: "forward", next: declined };
    expect(onGatewayFrame(asked, frame(no), refuse)).toEqual(step);
  });

  it.each([
    ["an answer to another request", asked, { ...ok, id: "2" }],
    ["an answer before the request", greeting, ok],
    ["an event before the answer", asked, { type: "event", event: "chat", payload: {} }],
    ["an answer without a verdict", asked, { type: "res", id: "1" }],
    ["a verdict that is no boolean", asked, { ...ok, ok: "true" }],
    ["a yes after a no", declined, ok],
    ["no JSON", asked, "ok"],
  ])("%s ends the connection", (_what, state, message) => {
    expect(onGatewayFrame(state, frame(message), approve)).toMatchObject({ action: "refuse" });
  });
});
