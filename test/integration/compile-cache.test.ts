/** The gateway's compile cache is filled by a gateway that runs and answers; a stop does not wait for it. */
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

/** In the gateway's place: ready at once, it asks the model of its config what it is asked itself. */
const standIn = (chat: string, end: number) => `
import { readFileSync } from "node:fs";
import http from "node:http";
const { gateway, models, secrets } = JSON.parse(readFileSync(process.env.HOME + "/.openclaw/openclaw.json", "utf8"));
const token = readFileSync(secrets.providers.gatewaytoken.path, "utf8");
const asksModel = async () => (await fetch(models.providers.compatible.baseUrl + "/chat/completions", { method: "POST" })).text();
const refuses = async () => "I would rather not";
http.createServer(async (request, response) => {
  if (request.url === "/readyz") return response.end(JSON.stringify({ ready: true }));
  const known = request.headers.authorization === "Bearer " + token && gateway.http.endpoints.chatCompletions.enabled;
  response.statusCode = known ? 200 : 401;
  response.end(await ${chat}());
}).listen(gateway.port, "127.0.0.1");
process.on("SIGTERM", () => process.exit(${end}));
`;

test.each([
  ["that answers a first message and ends well", "asksModel", 0, 0, /^$/],
  ["that answers something else", "refuses", 0, 1, /did not answer/],
  ["whose end fails, which leaves half a cache", "asksModel", 3, 1, /did not end by itself/],
])("a gateway %s decides what the bake says", async (_name, chat, end, status, text) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "moltworker-bake-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const openclaw = path.join(folder, "openclaw");
  await mkdir(openclaw);
  await writeFile(path.join(openclaw, "openclaw.mjs"), standIn(chat, end));
  const bake = path.join(PROJECT_ROOT, "container", "bake-compile-cache.mjs");
  const args = [bake, openclaw, path.join(folder, "cache")];
  const ended = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect({ status: ended.status, stderr: ended.stderr }).toEqual({
    status,
    stderr: expect.stringMatching(text),
  });
});
