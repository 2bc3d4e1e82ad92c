import { expect, test } from "vitest";
import type { ImportView } from "../../../protocol/import.ts";
import { ApiError } from "../../api/client.ts";
import { arrivedBytes, isPassing } from "./upload.ts";

const MB = 1024 ** 2;

function view(missing: number[]): ImportView {
  return {
    ...{ id: "one", name: "a.tar.gz", bytes: 17 * MB, partBytes: 8 * MB, parts: 3 },
    ...{ missing, state: missing.length === 0 ? "uploaded" : "uploading" },
  };
}

test.each([
  [[], 17 * MB],
  [[0, 1, 2], 0],
  [[2], 16 * MB],
  [[0, 2], 8 * MB],
])("with %j missing so many bytes are there: %i", (missing, bytes) => {
  expect(arrivedBytes(view(missing))).toBe(bytes);
});

test.each([
  ["offline", 0, true],
  ["agent_unreachable", 502, true],
  ["backups_unavailable", 503, true],
  ["refused", 409, false],
  ["admin_required", 401, false],
  ["body_too_large", 413, false],
])("after %s (%i) the same part is sent again: %s", (code, status, again) => {
  expect(isPassing(new ApiError(code, status, "because"))).toBe(again);
});

test("a bug is not waited for", () => {
  expect(isPassing(new TypeError("undefined is not a function"))).toBe(false);
});
