import { expect, it } from "vitest";
import type { RpcReply } from "../protocol/control.ts";
import { createSuspension, type SuspensionParts } from "./suspension.ts";

const ready = { status: "ready", suspensionId: "s1" };
const late: RpcReply = { ok: false, error: { code: "DEADLINE", message: "it did not answer" } };

/** Without a bucket, so that only the gateway has a say. */
function suspension(reply: RpcReply, parts: Partial<SuspensionParts> = {}) {
  return createSuspension({
    startGeneration: 3,
    call: async () => reply,
    backups: () => undefined,
    keep: async () => undefined,
    askDue: async () => true,
    isConnected: () => true,
    ...parts,
  });
}

it.each<[string, RpcReply, Partial<SuspensionParts>, object]>([
  ["is quiet", { ok: true, result: ready }, {}, { ok: true }],
  [
    "works",
    { ok: true, result: { status: "busy", reason: "a turn" } },
    {},
    { ok: false, reason: "busy", message: "a turn" },
  ],
  ["does not answer", late, {}, { ok: false, reason: "busy", message: "it did not answer" }],
  [
    "says something else",
    { ok: true, result: { status: "asleep" } },
    {},
    { ok: false, reason: "busy", message: "its answer is not understood" },
  ],
  [
    "does not say when its next job is due",
    { ok: true, result: ready },
    { askDue: async () => false },
    { ok: false, reason: "busy", message: "it does not say when its next job is due" },
  ],
  ["is gone", late, { askDue: async () => false, isConnected: () => false }, { ok: true }],
])("a gateway that %s", async (_name, reply, parts, expected) => {
  expect(await suspension(reply, parts).suspend()).toEqual(expected);
});

it("asks for the next job before the gateway takes no more questions", async () => {
  const asked: string[] = [];
  const parts = {
    call: async (method: string): Promise<RpcReply> => {
      asked.push(method);
      return { ok: true, result: ready };
    },
    askDue: async () => {
      asked.push("due");
      return true;
    },
  };
  await suspension(late, parts).suspend();
  expect(asked).toEqual(["due", "gateway.suspend.prepare"]);
});
