import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CONTAINER_INIT, ENTRYPOINT, TOOLS } from "../../container/image.ts";
import { buildControlUi } from "../../src/build/control-ui.ts";
import { BOOTSTRAP_SCRIPT } from "../../src/build/control-ui-index.ts";
import { generatedFiles } from "../../src/build/generated.ts";
import { PROJECT_ROOT, buildPaths } from "../../src/build/paths.ts";
import { startPlainGateway } from "../support/plain-gateway.ts";
import type { PlainGateway } from "../support/plain-gateway.ts";

const paths = buildPaths(PROJECT_ROOT);
let folder = "";
let gateway: PlainGateway | undefined;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "moltworker-assets-"));
  gateway = await startPlainGateway(paths.openclaw);
});

afterAll(async () => {
  await gateway?.close();
  await rm(folder, { recursive: true, force: true });
});

test("every generated file in the repository is what its description says now", async () => {
  const generated = await generatedFiles(paths);
  if (!generated.ok) throw new Error(generated.reason);
  for (const file of generated.files) {
    expect(await readFile(file.path, "utf8")).toBe(file.text);
  }
});

test("the Dockerfile runs the supervisor as PID 1, installs every tool and runs no install script", async () => {
  const text = await readFile(paths.dockerfile, "utf8");
  expect(text).toContain(`ENTRYPOINT ${JSON.stringify([...CONTAINER_INIT, ...ENTRYPOINT])}`);
  expect(text).toContain("npm ci --ignore-scripts");
  const install = /apt-get install -y --no-install-recommends (.*) \\/.exec(text)?.[1]?.split(" ");
  expect(install).toEqual(expect.arrayContaining(TOOLS.map((tool) => tool.package)));
});

test("the lockfile of the image is one that npm ci takes", async () => {
  for (const name of ["package.json", "package-lock.json"]) {
    await copyFile(path.join(paths.root, "container", name), path.join(folder, name));
  }
  const args = ["ci", "--dry-run", "--offline", "--ignore-scripts", "--omit=optional"];
  const { stdout } = await promisify(execFile)("npm", args, { cwd: folder });
  expect(stdout).toContain("added");
});

test("the entry page of the assets is the page that the pinned gateway serves, plus our script", async () => {
  const own = {
    ...paths,
    assets: path.join(folder, "a"),
    assetsMarker: path.join(folder, "a.json"),
  };
  expect(await buildControlUi(own)).toMatchObject({ ok: true });
  const ours = await readFile(path.join(own.assets, "_control-ui", "index.html"), "utf8");
  const reply = await fetch(`${gateway?.url}/`, { headers: { accept: "text/html" } });
  const theirs = await reply.text();
  expect(ours.replace(`${BOOTSTRAP_SCRIPT}\n    `, "")).toBe(theirs);
  expect(ours.indexOf("<script")).toBe(ours.indexOf(BOOTSTRAP_SCRIPT));

  const meta: unknown = JSON.parse(
    await readFile(path.join(own.assets, "_control-ui", "meta.json"), "utf8"),
  );
  const policy = reply.headers.get("content-security-policy") ?? "";
  const theirHashes = [...policy.matchAll(/'(sha256-[^']+)'/g)].map((match) => match[1]);
  expect(meta).toMatchObject({ scriptHashes: theirHashes });
});

test("the assets hold the files the page asks for, and no service worker", async () => {
  const own = {
    ...paths,
    assets: path.join(folder, "b"),
    assetsMarker: path.join(folder, "b.json"),
  };
  expect(await buildControlUi(own)).toMatchObject({ ok: true });
  const page = await readFile(path.join(own.assets, "_control-ui", "index.html"), "utf8");
  const asked = [...page.matchAll(/(?:href|src)="\/((?!_moltworker)[^"?]+)/g)].map(
    (m) => m[1] ?? "",
  );
  expect(asked.length).toBeGreaterThan(5);
  for (const file of asked) {
    const ours = await readFile(path.join(own.assets, file));
    const reply = await fetch(`${gateway?.url}/${file}`);
    expect({ file, same: Buffer.from(await reply.arrayBuffer()).equals(ours) }).toEqual({
      file,
      same: true,
    });
  }
  await expect(readFile(path.join(own.assets, "sw.js"))).rejects.toThrow("ENOENT");
  expect(await buildControlUi(own)).toEqual({ ok: true, files: "unchanged" });
});
