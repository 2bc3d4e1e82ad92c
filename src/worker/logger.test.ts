import { expect, test } from "vitest";
import { createLogger } from "./logger.ts";

const SECRET = "se+cret/0123456789";

test.each([
  [`token is ${SECRET}!`],
  [`escaped ${encodeURIComponent(SECRET)}`],
  [`GET https://host/path?token=${SECRET}#x`],
  ["wss://host/ws?token=other-secret-value"],
  ["/ws?a=1&token=other-secret-value"],
])("%s is logged without its secret", (text) => {
  const lines: string[] = [];
  const log = createLogger(
    [SECRET],
    (line) => lines.push(line),
    () => 5,
  );
  log.warn(text, { field: text, number: 1 });
  expect(lines).toHaveLength(1);
  const line = lines[0] ?? "";
  expect(line).not.toContain(SECRET);
  expect(line).not.toContain(encodeURIComponent(SECRET));
  expect(line).not.toContain("other-secret-value");
  expect(JSON.parse(line)).toMatchObject({ at: 5, level: "warn", number: 1 });
});

test("ordinary text and short words stay", () => {
  const lines: string[] = [];
  createLogger(["abc"], (line) => lines.push(line)).info("abc https://host/a/b", {});
  expect(lines[0]).toContain("abc https://host/a/b");
});
