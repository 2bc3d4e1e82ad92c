import { Hono } from "hono";
import { expect, it } from "vitest";
import type { NewAuditEntry } from "../audit/calls.ts";
import type { Ended } from "../done.ts";
import { lasting, type AdminCall, type Bindings } from "./calls.ts";

/** What an admin is answered, and what the audit log then holds. */
async function stopThatEnds(ended: Ended) {
  const log: string[] = [];
  const record = async (entries: NewAuditEntry[]) => {
    log.push(...entries.map(({ detail }) => detail));
  };
  const admin: Pick<AdminCall, "by" | "from"> & { agent: object } = {
    ...{ by: "olga", from: "192.0.2.1" },
    agent: { audit: { record } },
  };
  const api = new Hono<Bindings>();
  api.post("/", (context) => lasting(context, Promise.resolve(ended), "agent-stop"));
  const answer = await api.request("/", { method: "POST" }, admin);
  return { status: answer.status, body: await answer.json(), log };
}

it("what ended a state that is not kept says so in the answer and in the audit log", async () => {
  expect(await stopThatEnds({ ok: true, unkept: "the database is broken" })).toEqual({
    status: 200,
    body: { ok: true, unkept: "the database is broken" },
    log: ["(the state before it was not kept: the database is broken)"],
  });
  expect(await stopThatEnds({ ok: true })).toEqual({ status: 200, body: { ok: true }, log: [""] });
});

it("so does what failed after that", async () => {
  const failed = await stopThatEnds({ ok: false, reason: "No such one.", unkept: "it is broken" });
  expect(failed).toMatchObject({
    status: 409,
    log: ["(refused: No such one.) (the state before it was not kept: it is broken)"],
  });
  expect(JSON.stringify(failed.body)).toContain("No such one. (the state before it was not kept");
});
