import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { unreadableByOthers, unreadableText } from "./readable.ts";

test("names the first file or folder that only its owner can read", async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "moltworker-readable-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = path.join(folder, "program.mjs");
  await writeFile(file, "");
  await chmod(folder, 0o755);
  await chmod(file, 0o644);
  expect(await unreadableByOthers([folder, file])).toBeUndefined();
  await chmod(file, 0o600);
  expect(await unreadableByOthers([folder, file])).toBe(file);
  await chmod(folder, 0o744);
  expect(await unreadableByOthers([folder, file])).toBe(folder);
});

test("says who cannot read what, and the command that mends it", () => {
  expect(unreadableText("/a/b", 65534, "/a")).toContain("user 65534");
  expect(unreadableText("/a/b", 65534, "/a")).toContain("chmod -R go+rX /a");
});
