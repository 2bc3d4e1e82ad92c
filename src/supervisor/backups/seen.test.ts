import { mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { addRows, put } from "../../../test/support/backup-state.ts";
import { openContent } from "./content.ts";
import { Scanner } from "./scan.ts";

vi.mock("./content.ts", { spy: true });

let home: string;
beforeEach(() => (home = mkdtempSync(join(tmpdir(), "seen-"))));
afterEach(() => rmSync(home, { recursive: true, force: true }));

const SECOND = 1_000;

it.each([
  ["of half a minute ago, which a mapping may go on writing", "a.bin", -30 * SECOND, 1],
  ["of more than a minute ago", "a.bin", -61 * SECOND, 0],
  ["of times to come, which somebody gave it", "a.bin", 3_600 * SECOND, 0],
  ["that is a database, which SQLite writes without mappings", "a.sqlite", -30 * SECOND, 0],
])("reads a file anew in the next look, or not: one %s", async (_, name, age, reads) => {
  const path = join(home, ".openclaw/workspace", name);
  put(home, ".openclaw/workspace/a.bin", "x");
  addRows(join(home, ".openclaw/workspace/a.sqlite"), "x");
  const written = new Date(Date.now() + age);
  utimesSync(path, written, written);
  // Its times of change are younger than any clock can tell.
  await sleep(100);
  const scanner = new Scanner(home, join(home, ".moltworker/scratch"));
  const look = async (known: Parameters<Scanner["scan"]>[0]) =>
    scanner.scan(
      known,
      new Map(),
      async () => undefined,
      () => undefined,
    );
  const { files } = await look(new Map());
  vi.mocked(openContent).mockClear();
  await look(new Map(files.map((file) => [file.path, file])));
  const read = vi.mocked(openContent).mock.calls.filter(([at]) => at.endsWith(name));
  expect(read).toHaveLength(reads);
});
