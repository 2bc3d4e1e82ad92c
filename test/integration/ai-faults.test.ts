import Anthropic, { BadRequestError } from "@anthropic-ai/sdk";
import { createServer } from "node:net";
import OpenAI, { BadRequestError as OpenAIBadRequestError } from "openai";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { callsOf } from "../support/ai-admin.ts";
import { ANTHROPIC_KEY, OPENAI_KEY, PLACEHOLDER, startAiRig } from "../support/ai-rig.ts";
import type { AiRig } from "../support/ai-rig.ts";
import { startAiWorker } from "../support/ai-worker.ts";
import type { AiWorker } from "../support/ai-worker.ts";

const anthropicError = (type: string, message: RegExp) => ({
  type: "error",
  error: { type, message: expect.stringMatching(message) },
});
const openaiError = (type: string, code: string | null, message: RegExp) => ({
  error: { message: expect.stringMatching(message), type, param: null, code },
});

const STREAM = JSON.stringify({
  model: "m",
  max_tokens: 9,
  stream: true,
  messages: [{ role: "user", content: "x" }],
  input: "x",
});

function call(url: string, path: string, init: RequestInit = {}) {
  return fetch(`${url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", "anthropic-version": "2023-06-01" },
    body: STREAM,
    ...init,
  });
}

const PATHS = [
  ["anthropic", "/anthropic/v1/messages"],
  ["openai", "/openai/v1/chat/completions"],
  ["openai", "/openai/v1/responses"],
] as const;

describe("a provider in trouble", () => {
  let rig: AiRig;
  beforeAll(async () => {
    rig = await startAiRig({ firstByteMs: 2_000 });
  });
  afterAll(() => rig?.close());
  afterEach(() => {
    rig.anthropic.keepFailing();
    rig.openai.keepFailing();
  });

  describe.each(PATHS)("%s %s", (provider, path) => {
    it.each([
      [400, {}],
      [401, {}],
      [404, {}],
      [408, {}],
      [429, { "retry-after": "7" }],
      [429, {}],
      [500, {}],
      [503, { "x-should-retry": "false" }],
      [529, { "retry-after-ms": "1500" }],
    ])("is told as it is: %i", async (status, headers: Record<string, string>) => {
      rig[provider].keepFailing({ kind: "error", status, headers });
      const response = await call(rig.worker.url, path);
      expect(response.status).toBe(status);
      for (const [name, value] of Object.entries(headers)) {
        expect(response.headers.get(name)).toBe(value);
      }
      expect(await response.text()).toBe(rig[provider].sent());
    });

    it("is told to a turn of the agent's without when to come again, and to its repeat at once", async () => {
      const headers = { "content-type": "application/json", "x-moltworker-turn": "1" };
      rig[provider].keepFailing({ kind: "error", status: 429, headers: { "retry-after": "7" } });
      const before = rig[provider].requests.length;
      for (const asked of [1, 1, 2]) {
        const response = await call(rig.worker.url, path, { headers });
        expect(response.status).toBe(429);
        expect(await response.text()).toBe(rig[provider].sent());
        expect(response.headers.get("retry-after")).toBeNull();
        expect(rig[provider].requests.length - before).toBe(asked);
      }
      expect(rig[provider].last().headers).not.toHaveProperty("x-moltworker-turn");
      // A program of the agent's is told as ever, and takes no turn's refusal.
      const other = await call(rig.worker.url, path);
      expect(other.headers.get("retry-after")).toBe("7");
      expect(rig[provider].requests.length - before).toBe(3);
      // The one that is kept would be the next test's.
      await (await call(rig.worker.url, path, { headers })).text();
    });

    it("is given up when it has not begun to answer in time", async () => {
      rig[provider].fail({ kind: "hang" });
      const response = await call(rig.worker.url, path);
      expect(response.status).toBe(400);
      expect(response.headers.get("x-should-retry")).toBe("false");
      const message = /did not begin to answer within 2 s: connection aborted/;
      expect(await response.json()).toEqual(
        provider === "anthropic"
          ? anthropicError("api_error", message)
          : openaiError("api_error", "moltworker_no_answer_in_time", message),
      );
    });

    it("may begin late and then take longer than the time to begin", async () => {
      rig[provider].fail({ kind: "slow-headers", ms: 100 });
      const response = await call(rig.worker.url, path);
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(rig[provider].sent());
    });

    it("breaks the caller's stream when its own breaks, after what came before", async () => {
      rig[provider].fail({ kind: "cut", afterEvents: 4 });
      const response = await call(rig.worker.url, path);
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      const read = async () => {
        for (;;) {
          const next = await reader?.read();
          if (next === undefined || next.done) return;
          text += next.value;
        }
      };
      await expect(read()).rejects.toThrow(/terminated/);
      expect(text).toBe(rig[provider].sent());
    });

    it("is not followed to another address", async () => {
      rig[provider].fail({ kind: "redirect", location: rig.openai.url });
      const before = rig.anthropic.requests.length + rig.openai.requests.length;
      const response = await call(rig.worker.url, path);
      expect(response.status).toBe(502);
      expect(await response.text()).toContain("redirect (307)");
      expect(rig.anthropic.requests.length + rig.openai.requests.length).toBe(before + 1);
    });

    it("passes on no error too large to look through", async () => {
      const body = `${ANTHROPIC_KEY} ${OPENAI_KEY} ${"x".repeat(70_000)}`;
      rig[provider].keepFailing({ kind: "raw", status: 500, headers: {}, body });
      const response = await call(rig.worker.url, path);
      const text = await response.text();
      expect(response.status).toBe(500);
      expect(text).not.toContain("sk-");
      expect(JSON.parse(text)).toMatchObject({ error: { type: expect.any(String) } });
    });
  });

  it("is told apart from a path that does not exist and a wrong method", async () => {
    const lost = await call(rig.worker.url, "/anthropic/v1/complete");
    expect([lost.status, await lost.json()]).toEqual([
      404,
      anthropicError("not_found_error", /no such model path/),
    ]);
    const nowhere = await call(rig.worker.url, "/v1/chat/completions");
    expect([nowhere.status, await nowhere.json()]).toEqual([
      404,
      openaiError("invalid_request_error", "unknown_url", /no such model path/),
    ]);
    const method = await call(rig.worker.url, "/openai/v1/responses", { method: "PUT" });
    expect([method.status, method.headers.get("allow")]).toEqual([405, "POST"]);
  });

  it.each([
    "/anthropic/v1/%6dessages",
    "/anthropic/v1/messages/",
    "/anthropic/v1//messages",
    "/openai/v1/models/%2e%2e%2fchat%2fcompletions",
    "/openai/v1/organization/admin_api_keys",
  ])("cannot be reached by %s", async (path) => {
    const before = rig.anthropic.requests.length + rig.openai.requests.length;
    expect((await call(rig.worker.url, path)).status).toBe(404);
    expect(rig.anthropic.requests.length + rig.openai.requests.length).toBe(before);
  });
});

describe("a provider that is not there", () => {
  let absent: AiWorker;
  let refusing: AiWorker;
  beforeAll(async () => {
    const baseUrl = `http://127.0.0.1:${await closedPort()}`;
    [absent, refusing] = await Promise.all([
      startAiWorker({}),
      startAiWorker({
        anthropic: { apiKey: ANTHROPIC_KEY, baseUrl },
        openai: { baseUrl, compatible: true },
      }),
    ]);
  });
  afterAll(() => Promise.all([absent?.close(), refusing?.close()]));

  it.each(PATHS)("is named with what to set when %s has no key: %s", async (provider, path) => {
    const response = await call(absent.url, path);
    expect(response.status).toBe(401);
    expect(await response.json()).toEqual(
      provider === "anthropic"
        ? anthropicError("authentication_error", /set ANTHROPIC_API_KEY/)
        : openaiError("invalid_request_error", "invalid_api_key", /OPENAI_API_KEY/),
    );
  });

  it.each(PATHS)(
    "is answered for at once when %s refuses the connection: %s",
    async (provider, path) => {
      const response = await call(refusing.url, path);
      // A 5xx is repeated by agents, and it was tried more than once already.
      expect(response.status).toBe(400);
      expect(response.headers.get("x-should-retry")).toBe("false");
      const text = await response.text();
      expect(JSON.parse(text)).toEqual(
        provider === "anthropic"
          ? anthropicError("api_error", /could not reach Anthropic: its host is unreachable/)
          : openaiError("api_error", "moltworker_unreachable", /could not reach OpenAI/),
      );
      expect(text).not.toMatch(/127\.0\.0\.1| at |\.js/);
      expect(refusing.logs()).not.toContain(ANTHROPIC_KEY);
    },
  );

  it("is an error that the providers' clients neither repeat nor hide", async () => {
    const before = (await callsOf({ worker: refusing })).length;
    const anthropic = new Anthropic({
      apiKey: PLACEHOLDER,
      baseURL: `${refusing.url}/anthropic`,
      maxRetries: 2,
    });
    const openai = new OpenAI({
      apiKey: PLACEHOLDER,
      baseURL: `${refusing.url}/openai/v1`,
      maxRetries: 2,
    });
    const messages = [{ role: "user" as const, content: "x" }];
    const caught = await Promise.all(
      [
        anthropic.messages.create({ model: "m", max_tokens: 9, messages }),
        openai.chat.completions.create({ model: "m", messages }),
        openai.responses.create({ model: "m", input: "x" }),
      ].map((asked) => asked.then(String, (error: unknown) => error)),
    );
    expect(caught[0]).toBeInstanceOf(BadRequestError);
    expect(caught[1]).toBeInstanceOf(OpenAIBadRequestError);
    expect(caught[2]).toBeInstanceOf(OpenAIBadRequestError);
    for (const error of caught) expect(String(error)).toContain("moltworker could not reach");
    // Three attempts of ours for each call, and none of theirs.
    expect((await callsOf({ worker: refusing })).length).toBe(before + 9);
  });
});

/** A port on which nothing listens. */
function closedPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
  });
}
