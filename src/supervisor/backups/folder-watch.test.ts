import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { tellsOfChange } from "./folder-watch.ts";

it("a log that cannot be looked at any more may tell of a change, and an empty one does not", () => {
  const home = mkdtempSync(join(tmpdir(), "folder-watch-"));
  const log = ".openclaw/workspace/own.sqlite-wal";
  try {
    mkdirSync(join(home, ".openclaw/workspace"), { recursive: true });
    writeFileSync(join(home, log), "");
    expect(tellsOfChange(home, log)).toBe(false);
    writeFileSync(join(home, log), "x");
    expect(tellsOfChange(home, log)).toBe(true);
    rmSync(join(home, ".openclaw/workspace"), { recursive: true });
    writeFileSync(join(home, ".openclaw/workspace"), "");
    expect(tellsOfChange(home, log)).toBe(true);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
