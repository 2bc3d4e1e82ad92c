import { mkdtemp, readFile, readdir, rm, stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { loginProblem } from "../../src/cli/deploy.ts";
import { COMPATIBILITY_DATE } from "../../src/worker/version.ts";
import { PROJECT_ROOT } from "../../src/build/paths.ts";
import { runCommand } from "../support/start-local.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "moltworker-deploy-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const metafile = z.object({ inputs: z.record(z.string(), z.unknown()) });

test("the deployed bundle is made without a login, and holds nothing of src/local", async () => {
  const result = await runCommand(["deploy", "--dry-run", "--outdir", folder], {
    HOME: folder,
    XDG_CONFIG_HOME: folder,
  });
  expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining("--dry-run: exiting") });

  const meta = metafile.parse(JSON.parse(await readFile(path.join(folder, "meta.json"), "utf8")));
  const inputs = Object.keys(meta.inputs);
  expect(inputs.some((input) => input.includes("src/worker/index.ts"))).toBe(true);
  expect(inputs.filter((input) => /src\/(local|supervisor|cli|build)\//.test(input))).toEqual([]);

  const scripts = (await readdir(folder)).filter((file) => /\.m?js$/.test(file));
  expect(scripts).toHaveLength(1);
  const script = path.join(folder, scripts[0] ?? "");
  const text = await readFile(script, "utf8");
  for (const local of ["LOCAL_ADMIN", "AdminEntry", "AdminCodes", "demo model"]) {
    expect(text.includes(local)).toBe(false);
  }
  const { size } = await stat(script);
  const packed = gzipSync(text).length;
  console.log(`bundle: ${(size / 1024).toFixed(0)} KiB, ${(packed / 1024).toFixed(0)} KiB gzip`);
});

test("the deployed Worker and the local one run at the same compatibility date", async () => {
  const text = await readFile(path.join(PROJECT_ROOT, "wrangler.jsonc"), "utf8");
  expect(text).toContain(`"compatibility_date": "${COMPATIBILITY_DATE}"`);
});

test.each([
  [{ code: 0, output: "You are logged in with an API Token" }, /^$/],
  [
    { code: 0, output: "You are not authenticated. Please run `wrangler login`." },
    /wrangler login/,
  ],
  [{ code: 1, output: "Authentication error [code: 10000]" }, /refuses the login/],
  [{ code: 1, output: "fetch failed" }, /cannot be reached/],
  [{ code: 1, output: "something else" }, /something else/],
])("the answer of wrangler whoami %o is understood", (answer, problem) => {
  expect(loginProblem(answer) ?? "").toMatch(problem);
});
