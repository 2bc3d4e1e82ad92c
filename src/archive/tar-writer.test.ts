import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { TAR_END, tarHeader } from "./tar-writer.ts";

it("a time that no tar can say does not spoil the header", () => {
  const head = { path: "a", type: "file", size: 0, mode: 0o600 } as const;
  const input = Buffer.concat([
    tarHeader({ ...head, modified: 1e12 }),
    tarHeader({ ...head, path: "b", modified: -5 }),
    TAR_END,
  ]);
  const listed = execFileSync("tar", ["-tvf", "-", "--utc"], { input, encoding: "utf8" });
  expect(listed).toMatch(/2242-03-16 12:56 a\n.*1970-01-01 00:00 b\n/);
});
