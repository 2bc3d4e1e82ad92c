import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { adminCode } from "../../src/local/admin-login/code.ts";
import { ADMIN_SECRET, startWorkerServer, type WorkerServer } from "../support/worker-server.ts";

let worker: WorkerServer;
let outside: http.Server;
let port = 0;
const seen: string[] = [];
let slackSays = "";
const QUESTION = JSON.stringify({ model: "claude-opus-5", max_tokens: 9, messages: [] });

beforeAll(async () => {
  outside = http.createServer((request, response) => {
    seen.push(request.url ?? "");
    if (request.url === "/moved") {
      response.writeHead(302, { Location: "http://elsewhere.example/" }).end();
    } else if (request.url === "/api/chat.postMessage") {
      response.setHeader("Content-Type", "application/json");
      response.end(slackSays);
    } else {
      response.end("outside");
    }
  });
  await new Promise<void>((resolve) => outside.listen(0, "127.0.0.1", resolve));
  const { port: chosen } = outside.address() as AddressInfo;
  port = chosen;
  worker = await startWorkerServer({
    EGRESS_ALLOW: `127.0.0.1:${port}, *.example.org`,
    SLACK_BOT_TOKEN: "xoxb-1-2-plantedBotToken",
    SLACK_SIGNING_SECRET: "0123456789abcdef0123456789abcdef",
    SLACK_API_URL: `http://127.0.0.1:${port}/api`,
  });
});
afterAll(async () => {
  await worker.close();
  await new Promise((resolve) => outside.close(resolve));
});
beforeEach(() => worker.calls());

describe("what leaves the sandbox", () => {
  test("reaches a listed host, and a redirect stays a redirect", async () => {
    expect((await worker.outbound(`http://127.0.0.1:${port}/a`)).text).toBe("outside");
    const moved = await worker.outbound(`http://127.0.0.1:${port}/moved`);
    expect(moved.status).toBe(302);
    expect(seen).toEqual(["/a", "/moved"]);
  });

  test("reaches no other host, and is told how to allow it", async () => {
    const answer = await worker.outbound("https://evil.example/path?secret=1");
    expect(answer.status).toBe(403);
    expect(answer.headers["content-type"]).toContain("text/plain");
    expect(answer.text).toContain("add evil.example to EGRESS_ALLOW");
    expect(answer.text).not.toContain("secret");
  });

  test("is counted in one call for many tries", async () => {
    await Promise.all(Array.from({ length: 20 }, () => worker.outbound("http://flood.example/")));
    const counted: unknown[] = [];
    await expect
      .poll(
        async () => {
          counted.push(...(await worker.calls()).filter(({ args }) => args[0] === "flood.example"));
          return counted;
        },
        { interval: 200 },
      )
      .toEqual([{ name: "egress.countRefused", args: ["flood.example", 20] }]);
  });

  test.each(["backup.moltworker.internal/x", "browser.moltworker.internal/json/version"])(
    "%s answers plainly that it is not there",
    async (address) => {
      expect((await worker.outbound(`http://${address}`)).status).toBe(503);
    },
  );

  test.each([
    "https://control.moltworker.internal/v1/report",
    "http://control.moltworker.internal:8080/v1/report",
    "http://control.moltworker.internal./v1/report",
    "http://other.moltworker.internal/",
  ])("%s is no internal name", async (target) => {
    expect((await worker.outbound(target, { method: "POST" })).status).toBe(403);
  });
});

describe("a message of the agent", () => {
  const REFUSAL = '{"ok":false,"error":"channel_not_found"}';

  test.each([
    [REFUSAL, "slack answered channel_not_found to a message of the agent."],
    [`{"ok":true,"message":{"text":"${"a".repeat(30_000)}"}}`, null],
  ])("that Slack answers with %.60s is told as what it is", async (says, problem) => {
    slackSays = says;
    const answer = await worker.outbound("https://slack.com/api/chat.postMessage", {
      method: "POST",
      headers: {
        authorization: "Bearer xoxb-moltworker-placeholder",
        "content-type": "application/json",
      },
      body: JSON.stringify({ channel: "C1", text: "hello" }),
    });
    expect(answer.text).toBe(says);
    const told: unknown[] = [];
    await expect
      .poll(async () => {
        told.push(...(await worker.calls()).filter(({ args }) => args[0] === "slack"));
        return told;
      })
      .toMatchObject([{ name: "spoke", args: ["slack", problem] }]);
  });
});

describe("the supervisor's reports", () => {
  const good = "c".repeat(32);
  const body = JSON.stringify({
    kind: "unrecorded-device",
    startGeneration: 3,
    deviceId: "ab".repeat(32),
  });
  const report = (token: string, text: string, method = "POST", path = "/v1/report") =>
    worker.outbound(`http://control.moltworker.internal${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}` },
      ...(method === "POST" ? { body: text } : {}),
    });

  test("reach the agent with their token", async () => {
    expect((await report(good, body)).status).toBe(200);
    const reports = (await worker.calls()).filter(({ name }) => name === "report");
    expect(reports).toEqual([{ name: "report", args: [JSON.parse(body), good] }]);
  });

  test("with another token are refused by the agent", async () => {
    expect((await report("d".repeat(32), body)).status).toBe(403);
  });

  test.each([
    ["", body, "POST", "/v1/report", 401],
    [good, "{", "POST", "/v1/report", 400],
    [good, "{}", "POST", "/v1/report", 400],
    [good, `"${"a".repeat(70_000)}"`, "POST", "/v1/report", 413],
    [good, "", "GET", "/v1/report", 405],
    [good, body, "POST", "/v1/other", 404],
  ])(
    "token %j body %.20s %s %s is %i and nothing is called",
    async (token, text, method, path, status) => {
      expect((await report(token, text, method, path)).status).toBe(status);
      expect((await worker.calls()).filter(({ name }) => name === "report")).toEqual([]);
    },
  );
});

describe("while the panic button holds the agent", () => {
  let shut: WorkerServer;
  beforeAll(async () => {
    shut = await startWorkerServer({
      ...{ EGRESS_ALLOW: `127.0.0.1:${port}`, ANTHROPIC_API_KEY: "sk-ant-planted" },
      TELEGRAM_BOT_TOKEN: "123456:planted-token-for-the-tests-of-egress",
    });
    const host = "127.0.0.1:8788";
    const path = `/_admin/login?code=${await adminCode(ADMIN_SECRET, 1)}`;
    const login = await shut.ask("AdminFace", { path, headers: { host } });
    const held = await shut.ask("AdminFace", {
      method: "POST",
      path: "/api/security/panic",
      headers: {
        ...{ host, Origin: `http://${host}`, "Content-Type": "application/json" },
        Cookie: login.cookies[0]?.split(";", 1)[0] ?? "",
      },
      body: "{}",
    });
    if (held.status !== 200) throw new Error(held.text);
  });
  afterAll(() => shut.close());

  test.each([
    () => `http://127.0.0.1:${port}/a`,
    () => "http://ai.moltworker.internal/anthropic/v1/messages",
    () => "http://ai.moltworker.internal/anthropic/v1/messages/count_tokens",
    () => "http://ai.moltworker.internal/of-nobody",
    () => "http://browser.moltworker.internal/json/version",
    () => "https://api.telegram.org/bot-placeholder/getMe",
  ])("a sandbox that the platform has not ended yet reaches nothing: %s", async (target) => {
    seen.length = 0;
    const answer = await shut.outbound(target(), { method: "POST", body: QUESTION });
    expect(answer.status).toBe(403);
    expect(answer.text).toContain("panic button");
    expect(seen).toEqual([]);
  });

  test("a metered call hears it with its reservation, and what costs nothing asks", async () => {
    const ai = "http://ai.moltworker.internal/anthropic/v1/messages";
    const questions = async (address: string) => {
      await shut.calls();
      await shut.outbound(address, { method: "POST", body: QUESTION });
      return (await shut.calls()).filter(({ name }) => name === "egress.held").length;
    };
    expect(await questions(ai)).toBe(0);
    expect(await questions(`${ai}/count_tokens`)).toBe(1);
  });
});
