import { mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { addRows, put } from "../../../test/support/backup-state.ts";
import { observedFile } from "./messages.ts";
import { Scanner, type Scan } from "./scan.ts";

let home: string;
let state: string;
/** Paths in the order in which their content was handed out. */
let sent: string[];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "scan-"));
  state = join(home, ".openclaw");
  sent = [];
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function scan(most?: number): Promise<Scan> {
  return new Scanner(home, join(home, ".moltworker/scratch"), most).scan(
    new Map(),
    new Map(),
    async ({ path }) => void sent.push(path),
    () => undefined,
  );
}

it("copies the gateway's queue before its conversations", async () => {
  put(state, "agents/main/agent/notes.md", "x");
  put(state, "state/other.txt", "x");
  addRows(join(state, "agents/main/agent/openclaw-agent.sqlite"), "said");
  addRows(join(state, "state/openclaw.sqlite"), "queued");
  const found = await scan();
  expect(sent[0]).toBe(".openclaw/state/openclaw.sqlite");
  expect(sent.toSorted()).toEqual(found.files.map(({ path }) => path).toSorted());
  expect(sent).toHaveLength(4);
});

it.each([
  ["before 1970", -40_000_000, 0],
  ["after 2242", 15_000_000_000, 8_589_934_591_000],
])("tells a time %s as the nearest that an archive can say", async (_, seconds, told) => {
  put(state, "workspace/a", "x");
  const time = new Date(seconds * 1000);
  utimesSync(join(state, "workspace/a"), time, time);
  const { files } = await scan();
  expect(files.map(({ modified }) => modified)).toEqual([told]);
  expect(observedFile.safeParse(files[0]).success).toBe(true);
});

it("looks at what the gateway needs first, and says which of the rest is too much", async () => {
  for (let i = 0; i < 9; i++) put(state, `a-first-by-name/${i}`, "x");
  for (let i = 0; i < 9; i++) put(state, `workspace/${i}`, "x");
  put(state, "agents/main/sessions/s.jsonl", "said");
  put(state, "state/openclaw.json", "{}");
  put(state, "tmp/x", "not kept in any case");
  // The folder itself; state, its file; agents, main, sessions, its file; the first folder and its first two.
  const found = await scan(10);
  expect(sent).toEqual([
    ".openclaw/state/openclaw.json",
    ".openclaw/agents/main/sessions/s.jsonl",
    ".openclaw/a-first-by-name/0",
    ".openclaw/a-first-by-name/1",
  ]);
  const why = "there are more than 10 files";
  expect(found.unkept).toEqual([
    { path: ".openclaw/a-first-by-name", why },
    { path: ".openclaw/workspace", why },
  ]);
});
