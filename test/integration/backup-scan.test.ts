/** What a look at a state makes of it where the agent left something odd: nothing kept is lost by it. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { memoryBucket } from "../support/backup-bucket.ts";
import { workerSide, type WorkerSide } from "../support/backup-rig.ts";
import { startSandboxSide, type SandboxSide } from "../support/backup-sandbox-side.ts";
import { addRows, contentOf, link, put } from "../support/backup-state.ts";

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
