import { expect, test } from "vitest";
import { troubleKind } from "./trouble-kind.ts";

test.each([
  ["The configuration has to be mended first: MODEL.", "configuration"],
  ["The backups cannot be read: reading agents/main/manifest.json: internal error", "backups"],
  ["The sandbox exited with code 137.", "memory"],
  ["FATAL ERROR: Reached heap limit Allocation failed", "memory"],
  ["bwrap: setting up uid map: Permission denied", "isolation"],
  ["The supervisor did not answer within 60000 ms: connection refused", "slow"],
  ["The sandbox speaks protocol 3, this Worker 1 and 2.", "supervisor"],
  ["The gateway failed.", "gateway"],
  ["The sandbox ended without being seen.", "sandbox"],
  ["ENOSPC", "other"],
])("“%s” is %s", (error, kind) => {
  expect(troubleKind(error)).toBe(kind);
});
