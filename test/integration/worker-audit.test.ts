/** What an admin does is written down, whoever does the writing; and how a call ends. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { adminCode } from "../../src/local/admin-login/code.ts";
import {
  ADMIN_SECRET,
  startWorkerServer,
  type Answer,
  type Ask,
  type WorkerServer,
} from "../support/worker-server.ts";

const HOST = "127.0.0.1:8788";
const DEVICE = "ab".repeat(32);
const ASKER = { by: "local", from: "198.51.100.7" };

let worker: WorkerServer;
let session = "";

const ask = (what: Ask): Promise<Answer> =>
  worker.ask("AdminFace", { ...what, headers: { Host: HOST, ...what.headers } });
const admin = (method: string, path: string, body?: unknown): Promise<Answer> =>
  ask({
    ...{ method, path },
    headers: {
      Cookie: session,
      ...(method === "GET" ? {} : { Origin: `http://${HOST}`, "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

beforeAll(async () => {
  worker = await startWorkerServer();
  const answer = await ask({ path: `/_admin/login?code=${await adminCode(ADMIN_SECRET, 1)}` });
  session = (answer.cookies[0] ?? "").split(";")[0] ?? "";
});
afterAll(() => worker.close());
beforeEach(() => worker.calls());

test("writes down who did what from where before it answers", async () => {
  await admin("POST", `/api/devices/${DEVICE}/approve`, {});
  const [newest] = JSON.parse((await admin("GET", "/api/audit")).text).entries;
  expect(newest).toMatchObject({
    kind: "device-approved",
    who: "local",
    from: "198.51.100.7",
    detail: DEVICE,
  });
  const lines = (await admin("GET", "/api/audit/export")).text.trim().split("\n");
  expect(JSON.parse(lines[0] ?? "")).toEqual(newest);
  expect(new Set(lines.map((line) => JSON.parse(line).n)).size).toBe(lines.length);
});

test("writes down what it got no answer to in time, because it may happen all the same", async () => {
  const slow = "ee".repeat(32);
  expect((await admin("POST", `/api/devices/${slow}/approve`, {})).status).toBe(502);
  const { entries } = JSON.parse((await admin("GET", "/api/audit")).text);
  expect(entries[0]).toMatchObject({
    ...{ kind: "device-approved", who: "local", detail: `${slow} (still under way)` },
  });
});

test("has panic, its end and what signs everybody out written down by the agent itself", async () => {
  for (const action of ["panic", "panic-over", "end-sessions"]) {
    expect((await admin("POST", `/api/security/${action}`, {})).status).toBe(200);
  }
  const { entries } = JSON.parse((await admin("GET", "/api/audit")).text);
  const written = { who: "local", from: "198.51.100.7", detail: "" };
  expect(entries.slice(0, 3)).toMatchObject([
    { kind: "sessions-ended", ...written },
    { kind: "panic-over", ...written },
    { kind: "panic", ...written },
  ]);
});

test("sums refused attempts instead of writing each", async () => {
  const before = JSON.parse((await admin("GET", "/api/audit")).text).entries.length;
  await Promise.all(Array.from({ length: 50 }, () => ask({ path: "/api/status" })));
  const { entries } = JSON.parse((await admin("GET", "/api/audit")).text);
  expect(entries.length - before).toBeLessThanOrEqual(1);
});

test("has a panic button that is one call", async () => {
  expect((await admin("POST", "/api/security/panic", {})).status).toBe(200);
  expect(await worker.calls()).toEqual([{ name: "security.panic", args: [ASKER] }]);
  expect(JSON.parse((await admin("GET", "/api/security")).text).panic.by).toBe("local");
  expect((await admin("POST", "/api/security/panic-over", {})).status).toBe(200);
});

test("a log that only a sandbox has is not there while the agent is stopped, and that is said", async () => {
  const answer = await admin("GET", "/api/logs?after=404");
  expect(answer.status).toBe(503);
  expect(JSON.parse(answer.text).error).toEqual({
    code: "agent_unavailable",
    message: "GET /v1/logs: there is no sandbox",
  });
});
