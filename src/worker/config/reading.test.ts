import { expect, test } from "vitest";
import { parseConfig } from "../config.ts";

const PASTED = 'sk-Ant-pasted"into,the wrong line';

test.each([
  ["ADMIN_EMAILS", "Owner@example.org", 2],
  ["EGRESS_ALLOW", "example.org", 2],
  ["BROWSER_ALLOW", "example.org", 2],
  ["MODEL_PRICES", "openai/llama3*=0/0", 2],
  ["CHANNEL_OWNERS", "telegram:123456789", 2],
  ["TELEGRAM_DM_ALLOW_FROM", "123456789", 2],
  ["DISCORD_GUILDS", "123456789012345678", 2],
  ["SLACK_CHANNELS", "C0123ABCDEF", 2],
])("%s: a wrong entry is told by its place, because everybody may read it", (name, good, place) => {
  const parsed = parseConfig({
    MOLTBOT_GATEWAY_TOKEN: "t".repeat(32),
    ANTHROPIC_API_KEY: "sk-ant-planted",
    [name]: `${good}, ${PASTED}`,
  });
  const problems = parsed.ok ? [] : parsed.problems;
  expect(problems.map((problem) => problem.name)).toContain(name);
  const told = JSON.stringify(problems);
  expect(told).toContain(`holds entry ${place}, which`);
  expect(told.toLowerCase()).not.toContain("pasted");
});

test("a wrong entry that another one begins with is not told as that one", () => {
  const parsed = parseConfig({
    MOLTBOT_GATEWAY_TOKEN: "t".repeat(32),
    ANTHROPIC_API_KEY: "sk-ant-planted",
    ADMIN_EMAILS: "olga@example.org, olga@example",
  });
  const problems = parsed.ok ? [] : parsed.problems;
  const problem = expect.stringContaining("holds entry 2, which");
  expect(problems).toContainEqual(expect.objectContaining({ name: "ADMIN_EMAILS", problem }));
});
