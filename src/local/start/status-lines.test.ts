import { expect, test } from "vitest";
import { parseConfig } from "../../worker/config.ts";
import { type StartFacts, statusLines } from "./status-lines.ts";

function linesOf(settings: Record<string, string>, facts: Partial<StartFacts> = {}) {
  const parsed = parseConfig({ MOLTBOT_GATEWAY_TOKEN: "t".repeat(32), ...settings });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const lines = statusLines({
    config: parsed.config,
    demoModel: false,
    engine: "bubblewrap",
    limits: [],
    browser: "none",
    stateDir: "/state",
    ownToken: true,
    ownKey: true,
    ...facts,
  });
  return Object.fromEntries(lines.map(({ name, text }) => [name, text]));
}

test("what is not configured is said, and what would configure it", () => {
  const lines = linesOf({}, { demoModel: true });
  expect(lines["Models"]).toContain("demo model");
  expect(lines["Models"]).toContain("ANTHROPIC_API_KEY");
  expect(lines["Channels"]).toContain("TELEGRAM_BOT_TOKEN");
  expect(lines["Egress"]).toContain("EGRESS_ALLOW");
  expect(lines["Sleep"]).toContain("never");
});

test("what is configured is named, never its value", () => {
  const token = "123456789:AAF-0123456789_abcdefghijklmnopqrstu";
  const lines = linesOf({
    ANTHROPIC_API_KEY: "sk-ant-planted-key",
    TELEGRAM_BOT_TOKEN: token,
    EGRESS_ALLOW: "example.org",
    SANDBOX_SLEEP_AFTER: "10m",
  });
  expect(lines["Models"]).toMatch(/^anthropic\/.*Anthropic/);
  expect(lines["Channels"]).toBe("the Control UI, Telegram");
  expect(lines["Egress"]).toContain("1 allowed");
  expect(lines["Sleep"]).toContain("10 min");
  expect(JSON.stringify(lines)).not.toContain(token);
  expect(JSON.stringify(lines)).not.toContain("planted");
});
