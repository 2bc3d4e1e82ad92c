import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findChromium } from "./find.ts";

let root: string;
let folder: string;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "find-chromium-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));
beforeEach(async () => {
  folder = await mkdtemp(path.join(root, "installed-"));
  await chmod(folder, 0o755);
});

async function program(name: string, script: string, mode = 0o755): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, mode);
  return file;
}

const find = (wanted: string) => findChromium(wanted, root);
const TELLS = 'echo "Chromium 156.0.8078.79 built on somewhere"';

describe("a Chromium given by its path", () => {
  it("is told with its version, and the sandbox is shown the program alone", async () => {
    const file = await program("chromium", TELLS);
    expect(await find(file)).toEqual({
      ok: true,
      chromium: {
        source: file,
        version: "Chromium 156.0.8078.79",
        executable: "/opt/chromium/chromium",
        binds: [{ source: file, target: "/opt/chromium/chromium", mode: "ro" }],
        env: {},
        describesProtocol: false,
      },
    });
  });

  it("is shown with its folder where its own resources lie beside it", async () => {
    const file = await program("chrome", TELLS);
    for (const name of ["icudtl.dat", "resources.pak"])
      await writeFile(path.join(folder, name), "");
    expect(await find(file)).toMatchObject({
      ok: true,
      chromium: {
        binds: [{ source: folder, target: "/opt/chromium", mode: "ro" }],
        describesProtocol: true,
      },
    });
  });

  it.each([
    ["that is not there", "missing", undefined],
    ["that is another program", "other", "echo no browser"],
    ["that ends with an error", "broken", `${TELLS}; exit 1`],
    ["that only starts a snap", "snapped", "exec /snap/bin/chromium --version"],
  ])("%s is refused with what to do", async (_what, name, script) => {
    const file = path.join(folder, name);
    if (script !== undefined) await program(name, script);
    expect(await find(file)).toEqual({
      ok: false,
      reason: expect.stringContaining(file),
      mend: expect.stringContaining("--browser"),
    });
  });

  it.runIf(process.getuid?.() === 0)("is refused to root when nobody else may run it", async () => {
    expect(await find(await program("chromium", TELLS, 0o700))).toMatchObject({ ok: false });
  });
});
