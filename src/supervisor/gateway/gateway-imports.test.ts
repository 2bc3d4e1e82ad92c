/** What is loaded into the gateway before its own code: it must resolve as Node itself does. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PROJECT_ROOT, buildPaths } from "../../build/paths.ts";

const HOOK = buildPaths(PROJECT_ROOT).gatewayImports;
const tells = "globalThis.seen.push(import.meta.url);\n";
/** The package as it is laid out, with every kind of import that one of its files may make. */
const FILES = {
  "node_modules/openclaw/package.json": '{"name":"openclaw","type":"module"}',
  "node_modules/openclaw/openclaw.mjs": 'globalThis.seen = []; await import("./dist/entry.js");',
  "node_modules/openclaw/dist/entry.js": `import "./own.mjs"; import "./plain.js"; ${tells}`,
  "node_modules/openclaw/dist/own.mjs": `
import { createRequire } from "node:module";
import "./deep/down.mjs";
import "./deep/../up.mjs";
import "./up.mjs?again";
import "../beside.mjs";
import "other";
createRequire(import.meta.url)("./required.mjs");
await import("./deep/late.mjs");
${tells}console.log(JSON.stringify(globalThis.seen));`,
  "node_modules/openclaw/dist/plain.js": tells,
  "node_modules/openclaw/dist/up.mjs": tells,
  "node_modules/openclaw/dist/required.mjs": tells,
  "node_modules/openclaw/dist/deep/down.mjs": `import "../up.mjs"; ${tells}`,
  "node_modules/openclaw/dist/deep/late.mjs": `import "./down.mjs"; ${tells}`,
  "node_modules/openclaw/beside.mjs": tells,
  "node_modules/other/package.json": '{"name":"other","type":"module","exports":"./main.mjs"}',
  "node_modules/other/main.mjs": `import "./more.mjs"; ${tells}`,
  "node_modules/other/more.mjs": tells,
  // A hook that is registered earlier is asked later: it sees what is left to Node.
  "recorder.mjs": `
import { registerHooks } from "node:module";
const left = [];
registerHooks({ resolve: (specifier, context, next) => (left.push(specifier), next(specifier, context)) });
process.on("exit", () => console.log(JSON.stringify(left)));`,
};

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gateway-imports-"));
  for (const [name, text] of Object.entries(FILES)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What was loaded, in its order, and which imports Node was asked about. */
async function run(preloaded: readonly string[]) {
  const options = preloaded.flatMap((file) => ["--import", file]);
  const program = join(folder, "node_modules/openclaw/openclaw.mjs");
  const { stdout } = await promisify(execFile)(process.execPath, [...options, program]);
  const [loaded = "", left = ""] = stdout.trim().split("\n");
  return { loaded, left };
}

test("the gateway's own files are found without Node, and everything is what Node would load", async () => {
  const recorder = join(folder, "recorder.mjs");
  const alone = await run([recorder]);
  const { loaded, left } = await run([recorder, HOOK]);
  expect(loaded).toBe(alone.loaded);
  expect(loaded).toContain("/dist/deep/late.mjs");
  for (const own of ["./own.mjs", "./deep/down.mjs", "./deep/../up.mjs", "../up.mjs"]) {
    expect(alone.left).toContain(`"${own}"`);
    expect(left).not.toContain(`"${own}"`);
  }
  for (const others of ["./plain.js", "./up.mjs?again", "../beside.mjs", "other", "./more.mjs"]) {
    expect(left).toContain(`"${others}"`);
  }
});
