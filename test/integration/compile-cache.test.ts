/** The gateway's compile cache is filled by a gateway that really runs; a stop does not wait for it. */
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { bakeCompileCache } from "../../src/build/compile-cache.ts";
import { PROJECT_ROOT, buildPaths } from "../../src/build/paths.ts";
import { descendants } from "../support/process-tree.ts";

const runs = (command: string) => /^\/opt\/node\/bin\/node \S*bake\.mjs/.test(command);

test("a build that is cut short leaves neither half a cache nor a process", async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "moltworker-cache-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const paths = { ...buildPaths(PROJECT_ROOT), compileCache: path.join(folder, "compile-cache") };
  const bakers = () => descendants(process.pid).filter(({ command }) => command.includes(folder));

  const stop = new AbortController();
  const baking = bakeCompileCache(paths, stop.signal);
  // Only from here on does the sandbox end with the program that made it.
  await expect.poll(() => descendants(process.pid).some(({ command }) => runs(command))).toBe(true);
  stop.abort();
  expect(await baking).toEqual({ ok: false, reason: "it was cut short" });
  expect(await readdir(folder)).toEqual([]);
  await expect.poll(bakers).toEqual([]);
});

test("a build without bubblewrap says so, and ends", async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "moltworker-cache-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const script = `
    const { bakeCompileCache } = await import("./src/build/compile-cache.ts");
    const { PROJECT_ROOT, buildPaths } = await import("./src/build/paths.ts");
    const paths = { ...buildPaths(PROJECT_ROOT), compileCache: process.argv[1] };
    console.log(JSON.stringify(await bakeCompileCache(paths)));
  `;
  const args = ["--input-type=module", "-e", script, path.join(folder, "cache")];
  const ended = spawnSync(process.execPath, args, {
    cwd: PROJECT_ROOT,
    encoding: "utf8",
    env: { ...process.env, PATH: folder },
    timeout: 60_000,
  });
  const { error, status, stdout } = ended;
  expect({ error, status, stdout }).toEqual({
    error: undefined,
    status: 0,
    stdout: expect.stringContaining("bubblewrap does not start"),
  });
});

/** In the gateway's place: ready at once, and ended as told. */
const standIn = (end: number) => `
import { readFileSync } from "node:fs";
import http from "node:http";
const config = JSON.parse(readFileSync(process.env.HOME + "/.openclaw/openclaw.json", "utf8"));
http
  .createServer((_request, response) => response.end(JSON.stringify({ ready: true })))
  .listen(config.gateway.port, "127.0.0.1");
process.on("SIGTERM", () => process.exit(${end}));
`;

test.each([
  ["that ends well has filled its cache", 0, 0, /^$/],
  ["whose end fails has left half a cache, which is refused", 3, 1, /did not end by itself/],
])("a gateway %s", async (_name, end, status, text) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "moltworker-bake-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const openclaw = path.join(folder, "openclaw");
  await mkdir(openclaw);
  await writeFile(path.join(openclaw, "openclaw.mjs"), standIn(end));
  const bake = path.join(PROJECT_ROOT, "container", "bake-compile-cache.mjs");
  const args = [bake, openclaw, path.join(folder, "cache")];
  const ended = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect({ status: ended.status, stderr: ended.stderr }).toEqual({
    status,
    stderr: expect.stringMatching(text),
  });
});
