/** The live check of a provider's key, against what each provider answers. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PROVIDERS } from "../../src/worker/ai/providers.ts";
import { adminCode } from "../../src/local/admin-login/code.ts";
import { ADMIN_SECRET, startWorkerServer, type WorkerServer } from "../support/worker-server.ts";

const HOST = "127.0.0.1:8788";
const KEY = "sk-planted-in-the-key-check-0123456789";
const ACCOUNT = "0123456789abcdef0123456789abcdef";

let worker: WorkerServer;
let session = "";
/** What the provider answers next, and what it was asked. */
let answer: () => Response = () => Response.json({ data: [] });
const asked: { url: string; key: string | null }[] = [];

beforeAll(async () => {
  worker = await startWorkerServer(
    {
      ANTHROPIC_API_KEY: KEY,
      OPENAI_API_KEY: KEY,
      GEMINI_API_KEY: KEY,
      WORKERS_AI_API_TOKEN: KEY,
      CF_ACCOUNT_ID: ACCOUNT,
    },
    {
      outside: async ({ url, headers }) => {
        const key =
          headers.get("x-api-key") ?? headers.get("x-goog-api-key") ?? headers.get("authorization");
        asked.push({ url, key });
        return answer();
      },
    },
  );
  const path = `/_admin/login?code=${await adminCode(ADMIN_SECRET, 1)}`;
  const { cookies } = await worker.ask("AdminFace", { path, headers: { Host: HOST } });
  session = (cookies[0] ?? "").split(";")[0] ?? "";
});
afterAll(() => worker?.close());

async function check(provider: string) {
  asked.length = 0;
  const reply = await worker.ask("AdminFace", {
    method: "POST",
    path: "/api/models/check",
    headers: {
      Host: HOST,
      Cookie: session,
      Origin: `http://${HOST}`,
      "Content-Type": "application/json",
    },
    body: JSON.stringify({ provider }),
  });
  expect(reply.text).not.toContain(KEY);
  return { status: reply.status, body: JSON.parse(reply.text) };
}

describe("the check of a key", () => {
  test.each([
    ["anthropic", "https://api.anthropic.com/v1/models?limit=1", KEY],
    ["openai", "https://api.openai.com/v1/models", `Bearer ${KEY}`],
    ["google", "https://generativelanguage.googleapis.com/v1beta/models?pageSize=1", KEY],
    [
      "workers-ai",
      `https://api.cloudflare.com/client/v4/accounts/${ACCOUNT}/ai/models/search?per_page=1`,
      `Bearer ${KEY}`,
    ],
  ])("asks %s at %s", async (provider, url, key) => {
    answer = () => Response.json({ data: [] });
    expect(await check(provider)).toEqual({ status: 200, body: { ok: true } });
    expect(asked).toEqual([{ url, key }]);
  });

  test.each([
    [401, { ok: false, reason: "key-refused", status: 401 }],
    [403, { ok: false, reason: "key-refused", status: 403 }],
    [404, { ok: false, reason: "unexpected", status: 404 }],
    [529, { ok: false, reason: "unexpected", status: 529 }],
    [302, { ok: false, reason: "unreachable" }],
  ])("understands the answer %i", async (status, said) => {
    answer = () => new Response(`{"error":"${KEY}"}`, { status, headers: { location: "/" } });
    expect((await check("anthropic")).body).toEqual(said);
  });

  test("says which provider has no key, and asks nobody", async () => {
    expect((await check("openrouter")).body).toEqual({ ok: false, reason: "not-configured" });
    expect(asked).toEqual([]);
  });

  test("refuses a provider that there is not", async () => {
    expect((await check("nobody")).status).toBe(400);
    expect(PROVIDERS.map(({ id }) => id)).not.toContain("nobody");
  });
});
