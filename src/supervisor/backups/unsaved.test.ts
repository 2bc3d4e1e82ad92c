import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { keepUnsaved, reportUnsaved } from "./unsaved.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "unsaved-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const DAY = Date.UTC(2026, 1, 1);

function putAside(text: string, now: number): void {
  mkdirSync(join(home, "left"));
  writeFileSync(join(home, "left", text), "");
  keepUnsaved(home, join(home, "left"), now);
}

const contents = () => readdirSync(home).flatMap((name) => readdirSync(join(home, name)));

it("goes by the order in which they were put aside, also when the clock was set back", () => {
  for (const [i, text] of ["one", "two", "three"].entries()) putAside(text, DAY + i);
  putAside("four", Date.UTC(1970, 0, 1));
  expect(reportUnsaved(home)).toHaveLength(3);
  expect(contents().sort()).toEqual(["four", "three", "two"]);
  putAside("five", Date.UTC(1970, 0, 1));
  expect(reportUnsaved(home)).toHaveLength(3);
  expect(contents().sort()).toEqual(["five", "four", "three"]);
});

it("has names in the order of their times, of which no two are the same", () => {
  putAside("one", DAY);
  putAside("two", DAY);
  expect(readdirSync(home).sort()).toEqual([
    ".moltworker-unsaved-2026-02-01T00-00-00-000Z",
    ".moltworker-unsaved-2026-02-01T00-00-00-001Z",
  ]);
});

it("removes what only looks like one before what it put aside", () => {
  writeFileSync(join(home, ".moltworker-unsaved-zzz"), "a file");
  for (const name of ["x", "y", "z"]) mkdirSync(join(home, `.moltworker-unsaved-${name}`));
  putAside("state", DAY);
  expect(reportUnsaved(home).map(({ path }) => path)).toContain(
    ".moltworker-unsaved-2026-02-01T00-00-00-000Z",
  );
  expect(contents()).toEqual(["state"]);
  expect(existsSync(join(home, ".moltworker-unsaved-zzz"))).toBe(false);
});

it("takes no harm from a name at the end of time", () => {
  mkdirSync(join(home, ".moltworker-unsaved-9999-12-31T23-59-59-999Z"));
  putAside("state", DAY);
  expect(reportUnsaved(home)).toHaveLength(2);
  expect(contents()).toEqual(["state"]);
});
