/** The gateway's compile cache is filled by a gateway that really runs; a stop does not wait for it. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { bakeCompileCache } from "../../src/build/compile-cache.ts";
import { PROJECT_ROOT, buildPaths } from "../../src/build/paths.ts";
import { descendants } from "../support/process-tree.ts";

test("a build that is cut short leaves neither half a cache nor a process", async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "moltworker-cache-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const paths = { ...buildPaths(PROJECT_ROOT), compileCache: path.join(folder, "compile-cache") };
  const bakers = () => descendants(process.pid).filter(({ command }) => command.includes(folder));

  const stop = new AbortController();
  const baking = bakeCompileCache(paths, stop.signal);
  await expect.poll(bakers).not.toEqual([]);
  stop.abort();
  expect(await baking).toEqual({ ok: false, reason: "it was cut short" });
  expect(await readdir(folder)).toEqual([]);
  await expect.poll(bakers).toEqual([]);
});
