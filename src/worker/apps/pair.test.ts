import { expect, test } from "vitest";
import { sqlite } from "../../../test/support/sqlite.ts";
import { createFailureLimiter } from "../access/failures.ts";
import { createGate } from "../access/gate.ts";
import { parseConfig } from "../config.ts";
import { createPairingCodes } from "./code.ts";
import { pair } from "./pair.ts";
import { AppStore } from "./store.ts";

const TOKEN = "t0ken-of-the-gateway-for-tests-0123456789";

test("a good code beside a hundred apps is no failed guess, says why, and counts when one is gone", async () => {
  const parsed = parseConfig({ MOLTBOT_GATEWAY_TOKEN: TOKEN, ANTHROPIC_API_KEY: "sk-ant-x" });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const store = new AppStore(sqlite(), "main");
  const now = Date.now();
  const note = (hash: string) =>
    store.noteCode({ hash, name: "", by: "owner", expiresAt: now + 60_000 }, now);
  for (let n = 0; n < 100; n += 1) {
    note(`h${n}`);
    store.redeem({ hash: `h${n}`, id: `app-${n}`, from: "" }, now);
  }
  const codes = createPairingCodes([TOKEN], "main");
  const { code, hash } = await codes.make();
  note(hash);
  const failures = createFailureLimiter();
  const denied: string[] = [];
  const ask = () => {
    const url = new URL("http://127.0.0.1:8787/_moltworker/pair");
    const request = new Request(url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ code }),
    });
    const journal = {
      signedIn: () => undefined,
      adminSignedIn: () => undefined,
      denied: (kind: string) => void denied.push(kind),
    };
    return pair({
      visit: { request, url, client: "203.0.113.9", now, journal },
      gate: createGate(parsed.config),
      ...{ codes, failures, agentId: "main" },
      apps: {
        list: async () => store.list(now),
        noteCode: async () => ({}),
        dropCodes: async () => ({ ok: true }),
        redeem: async (redemption) => store.redeem(redemption, now),
        remove: async () => ({ ok: true }),
      },
    });
  };
  for (let tries = 0; tries < 12; tries += 1) {
    const answer = await ask();
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({ error: { code: "too_many_apps" } });
  }
  expect(denied).toEqual([]);
  store.remove("app-7");
  expect((await ask()).status).toBe(200);
});
