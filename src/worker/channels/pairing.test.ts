import { beforeEach, expect, it } from "vitest";
import { sqlite } from "../../../test/support/sqlite.ts";
import type { Sql } from "../agent/store/schema.ts";
import { ApprovalsUnderWay } from "./approving.ts";
import { Pairing, type GatewayCall } from "./pairing.ts";
import { Notes } from "./store/notes.ts";
import { migrateChannels } from "./store/schema.ts";
import { Senders } from "./store/senders.ts";

const ALICE = {
  ...{ requestId: "r1", channel: "telegram", accountId: "default", senderId: "66" },
  metadata: { firstName: "Alice" },
};
let sql: Sql;
/** What the gateway still lists, and what it does with an approval. */
let waiting: object[];
let approves: () => Awaited<ReturnType<GatewayCall>>;

beforeEach(() => {
  sql = sqlite();
  migrateChannels(sql);
  waiting = [ALICE];
  approves = () => ({ ok: true, value: { senderId: "66" } });
});

/** As a Durable Object that begins anew has it. */
function open(answer: () => ReturnType<GatewayCall> | undefined = () => undefined) {
  const senders = new Senders(sql, "main");
  const call: GatewayCall = async ({ method }) =>
    method === "channels.pairing.approve"
      ? (answer() ?? approves())
      : { ok: true, value: { requests: waiting } };
  const pairing = new Pairing(
    call,
    senders,
    new ApprovalsUnderWay(new Notes(sql, "main")),
    () => 5,
  );
  return { pairing, senders };
}

const letIn = { channel: "telegram", id: "66", name: "Alice", approvedBy: "olga", barred: false };

it("an approval that the gateway confirms is recorded at once", async () => {
  const { pairing, senders } = open();
  expect(await pairing.approve("telegram", "r1", "olga")).toEqual({ ok: true });
  expect(senders.approved()).toMatchObject([letIn]);
});

it("one whose answer was lost is recorded when the request is gone", async () => {
  approves = () => {
    waiting = [];
    throw new Error("the Durable Object ended here");
  };
  await expect(open().pairing.approve("telegram", "r1", "olga")).rejects.toThrow("ended here");
  const { pairing, senders } = open();
  expect(senders.approved()).toEqual([]);
  await pairing.list(true);
  expect(senders.approved()).toMatchObject([letIn]);
  senders.bar("telegram", "66", true);
  await pairing.list(true);
  expect(senders.standing("telegram", "66")).toBe("barred");
});

it("one that never reached the gateway is none, also when the request expires later", async () => {
  approves = () => ({ ok: false, reason: "The gateway is not connected." });
  const { pairing, senders } = open();
  expect(await pairing.approve("telegram", "r1", "olga")).toMatchObject({ ok: false });
  await pairing.list(true);
  waiting = [];
  await pairing.list(true);
  expect(senders.approved()).toEqual([]);
});

it("one for which the gateway names somebody else is none", async () => {
  approves = () => {
    waiting = [];
    return { ok: true, value: { senderId: "999" } };
  };
  const { pairing, senders } = open();
  expect(await pairing.approve("telegram", "r1", "olga")).toMatchObject({ ok: false });
  await pairing.list(true);
  expect(senders.approved()).toEqual([]);
});

it("one that the gateway refused is none, although the request is gone", async () => {
  approves = () => {
    waiting = [];
    return { ok: false, reason: "INVALID_REQUEST: it no longer exists", code: "INVALID_REQUEST" };
  };
  const { pairing, senders } = open();
  const refused = { ok: false, reason: "INVALID_REQUEST: it no longer exists" };
  expect(await pairing.approve("telegram", "r1", "olga")).toEqual(refused);
  await pairing.list(true);
  expect(senders.approved()).toEqual([]);
});

it("one whose answer was lost lets nobody in who was barred since", async () => {
  const { pairing, senders } = open();
  await pairing.approve("telegram", "r1", "olga");
  approves = () => {
    waiting = [];
    return { ok: false, reason: "DEADLINE: no answer", code: "DEADLINE" };
  };
  expect(await pairing.approve("telegram", "r1", "olga")).toMatchObject({ ok: false });
  expect(pairing.bar("telegram", "66", true)).toEqual({ ok: true });
  await pairing.list(true);
  expect(senders.standing("telegram", "66")).toBe("barred");
});

it("one whose answer was lost outlasts an earlier one that is confirmed after it", async () => {
  waiting = [ALICE, { ...ALICE, requestId: "r2", senderId: "77", metadata: { firstName: "Bob" } }];
  const first = Promise.withResolvers<Awaited<ReturnType<GatewayCall>>>();
  const answers = [first.promise, Promise.resolve({ ok: false as const, reason: "no answer" })];
  const { pairing, senders } = open(() => answers.shift());
  const alice = pairing.approve("telegram", "r1", "olga");
  // Both are found in the list before either is answered.
  expect(await pairing.approve("telegram", "r2", "olga")).toMatchObject({ ok: false });
  first.resolve({ ok: true, value: { senderId: "66" } });
  expect(await alice).toEqual({ ok: true });
  waiting = [];
  await pairing.list(true);
  expect(senders.approved()).toMatchObject([letIn, { id: "77", name: "Bob" }]);
});
