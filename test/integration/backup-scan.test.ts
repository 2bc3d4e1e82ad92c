/** What a look at a state makes of it where the agent left something odd: nothing kept is lost by it. */
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { markPath } from "../../src/supervisor/backups/home.ts";
import { memoryBucket } from "../support/backup-bucket.ts";
import { workerSide, type WorkerSide } from "../support/backup-rig.ts";
import { startSandboxSide, type SandboxSide } from "../support/backup-sandbox-side.ts";
import { addRows, contentOf, link, put, rowsOf } from "../support/backup-state.ts";

let worker: WorkerSide;
let side: SandboxSide;
const sides: SandboxSide[] = [];

beforeEach(async () => {
  worker = await workerSide(memoryBucket());
  side = await start(1);
});

afterEach(() => {
  for (const one of sides.splice(0)) one.lose();
});

async function start(n: number): Promise<SandboxSide> {
  const started = await startSandboxSide(worker, n);
  sides.push(started);
  return started;
}

const unkept = () => side.backups.status().unkept;
const NOT_A_FOLDER = "it is a link or a file, and not a folder";

test.each([
  ["moved elsewhere, with a link in its place", "a link", NOT_A_FOLDER],
  ["moved elsewhere, with a file in its place", "a file", NOT_A_FOLDER],
  ["moved elsewhere", "nothing", "it is not there"],
])("a state folder that was %s is no empty state", async (_, inItsPlace, why) => {
  put(side.state, "workspace/MEMORY.md", "all I know");
  link(side.state, "workspace/link", "MEMORY.md");
  mkdirSync(join(side.state, "workspace/empty"));
  addRows(join(side.state, "state/openclaw.sqlite"), "row");
  const before = contentOf(side.state);
  expect(await side.backups.commit("change")).toMatchObject({ ok: true, made: true });
  renameSync(side.state, join(side.home, "elsewhere"));
  if (inItsPlace === "a link") symlinkSync("elsewhere", side.state);
  if (inItsPlace === "a file") writeFileSync(side.state, "");
  for (const reason of ["change", "final"] as const) {
    expect(await side.backups.commit(reason)).toMatchObject({ ok: true });
    expect(unkept()).toEqual([{ path: ".openclaw", why }]);
  }
  const next = await start(2);
  expect(contentOf(next.state)).toEqual(before);
  rmSync(join(next.state, "workspace/link"));
  expect(await next.backups.commit("change")).toMatchObject({ ok: true, made: true, unkept: [] });
  expect(contentOf((await start(3)).state)).toEqual(contentOf(next.state));
});

test("a file where copies of databases are made fails the backup, and takes no database out of it", async () => {
  put(side.state, "workspace/MEMORY.md", "one");
  const paths = ["state/openclaw.sqlite", "workspace/own.sqlite"];
  for (const path of paths) addRows(join(side.state, path), "one");
  expect(await side.backups.commit("change")).toMatchObject({ ok: true, made: true });
  // The mark is written after the answer.
  await vi.waitFor(() =>
    expect(readFileSync(markPath(side.home), "utf8")).toMatch(/"generation":1,"asked":\[\]/),
  );
  rmSync(join(side.home, ".moltworker"), { recursive: true });
  writeFileSync(join(side.home, ".moltworker"), "");
  put(side.state, "workspace/MEMORY.md", "two");
  for (const path of paths) addRows(join(side.state, path), "two");
  const made = await side.backups.commit("final");
  const message = expect.stringMatching(/no place for copies of databases: ENOTDIR/);
  expect(made).toMatchObject({ ok: false, reason: "reader", message });
  rmSync(join(side.home, ".moltworker"));
  expect(await side.backups.commit("final")).toMatchObject({ ok: true, made: true, unkept: [] });
  const { state } = await start(2);
  for (const path of paths) expect(rowsOf(join(state, path))).toEqual(["one", "two"]);
});
