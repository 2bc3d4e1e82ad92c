/** The script that adds native parts, run with npm against a registry on loopback. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { missingParts } from "../../container/add-native-parts.mjs";

const SCRIPT = path.resolve(import.meta.dirname, "../../container/add-native-parts.mjs");
const PART = `@emulated/part-linux-${process.arch}-gnu`;
let home: string;
let registry: Server;
let served: Buffer;

beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), "native-parts-"));
  await mkdir(path.join(home, "node_modules"));
  served = await packageOf("genuine");
  registry = createServer((request, response) => {
    if (request.url?.endsWith(".tgz") === true) return void response.end(served);
    const dist = { tarball: `${origin()}/part.tgz`, integrity: integrityOf(served) };
    const version = { name: PART, version: "1.0.0", dist };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ name: PART, versions: { "1.0.0": version } }));
  });
  await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  await new Promise((resolve) => registry.close(resolve));
  await rm(home, { recursive: true, force: true });
});

const origin = () => `http://127.0.0.1:${(registry.address() as AddressInfo).port}`;
const integrityOf = (file: Buffer) =>
  `sha512-${createHash("sha512").update(file).digest("base64")}`;

async function packageOf(content: string): Promise<Buffer> {
  const tar = pack();
  tar.entry(
    { name: "package/package.json" },
    JSON.stringify({ name: PART, version: "1.0.0", main: "part.js" }),
  );
  tar.entry({ name: "package/part.js" }, content);
  tar.finalize();
  return gzipSync(await buffer(tar));
}

async function lock(integrity: string): Promise<void> {
  const packages = { [`node_modules/${PART}`]: { version: "1.0.0", optional: true, integrity } };
  await writeFile(path.join(home, "package-lock.json"), JSON.stringify({ packages }));
}

const add = () =>
  promisify(execFile)(process.execPath, [SCRIPT, home, "@emulated/part"], {
    env: {
      ...process.env,
      npm_config_registry: origin(),
      npm_config_cache: path.join(home, "cache"),
    },
  });

test("the part of this machine comes from the registry when it is the lockfile's, once", async () => {
  await lock(integrityOf(served));
  expect(missingParts(home, ["@emulated/part"])).toMatchObject([{ name: PART, version: "1.0.0" }]);
  expect((await add()).stdout).toBe(`${PART} 1.0.0\n`);
  const placed = path.join(home, "node_modules", PART);
  expect(await readFile(path.join(placed, "part.js"), "utf8")).toBe("genuine");
  expect(await readdir(path.join(home, "node_modules"))).toEqual(["@emulated"]);
  expect(missingParts(home, ["@emulated/part"])).toEqual([]);
  expect((await add()).stdout).toBe("");
});

test("another content than the lockfile's is refused, whatever integrity the registry gives it", async () => {
  await lock(integrityOf(served));
  served = await packageOf("of somebody else");
  await expect(add()).rejects.toThrow("is not the package of the lockfile");
  expect(existsSync(path.join(home, "node_modules", PART))).toBe(false);
  expect(await readdir(path.join(home, "node_modules"))).toEqual([]);
});

test("a part that the lockfile does not have is named", async () => {
  await lock("sha512-x");
  expect(() => missingParts(home, ["@emulated/other"])).toThrow(
    `package-lock.json has no @emulated/other-linux-${process.arch}-gnu`,
  );
});
