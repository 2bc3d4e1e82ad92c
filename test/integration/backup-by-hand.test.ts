/** The commands of docs/storage.md, run as they stand there, by the tools they name. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { generateX25519Identity } from "age-encryption";
import { expect, test } from "vitest";
import { memoryBucket } from "../support/backup-bucket.ts";
import { workerSide } from "../support/backup-rig.ts";
import { startSandboxSide } from "../support/backup-sandbox-side.ts";
import { addRows, contentOf, link, put } from "../support/backup-state.ts";

const TOOLS = { age: "age", zstd: "zstd", tar: "tar", jq: "jq" };

test.each([
  ["with the key", true],
  ["of a bucket that is not encrypted", false],
])("a person %s and with standard tools restores without this project", async (_, encrypted) => {
  const missing = Object.entries(TOOLS).filter(
    ([tool]) => spawnSync(tool, ["--version"], { stdio: "ignore" }).error !== undefined,
  );
  expect(missing, "install what is missing: apt-get install age zstd tar jq").toEqual([]);

  const identity = await generateX25519Identity();
  const bucket = memoryBucket();
  const worker = await workerSide(bucket, { identities: encrypted ? [identity] : [] });
  const side = await startSandboxSide(worker, 1);
  const folder = mkdtempSync(join(tmpdir(), "by-hand-"));
  try {
    const commit = () => side.backups.commit("change");
    const database = join(side.state, "state/openclaw.sqlite");
    put(side.state, "workspace/MEMORY.md", "first");
    put(side.state, "workspace/gone/soon", "x");
    put(side.state, "media/shrinks.bin", Buffer.alloc(500_000, 1));
    put(side.state, "media/grows.bin", "small");
    put(side.state, "workspace/plan", "a file");
    put(side.state, "workspace/notes/one", "in a folder");
    put(side.state, "media/large", Buffer.alloc(300_000, 4));
    put(side.state, "media/folder/deep/x", Buffer.alloc(300_000, 5));
    for (let i = 0; i < 40; i++) addRows(database, `${i}`.repeat(4000));
    await commit();
    put(side.state, "workspace/MEMORY.md", "second", 0o640);
    rmSync(join(side.state, "workspace/gone"), { recursive: true });
    put(side.state, "media/shrinks.bin", Buffer.alloc(100_000, 2));
    put(side.state, "media/grows.bin", Buffer.alloc(200_000, 3));
    addRows(database, "one more row");
    // What was a file is a folder now, and the other way round; small and in parts.
    for (const path of ["workspace/plan", "workspace/notes", "media/large", "media/folder"]) {
      rmSync(join(side.state, path), { recursive: true });
    }
    put(side.state, "workspace/plan/a", "in a folder");
    put(side.state, "workspace/notes", "a file");
    put(side.state, "media/large/b", Buffer.alloc(300_000, 6));
    put(side.state, "media/folder", Buffer.alloc(300_000, 7));
    await commit();
    put(side.state, "workspace/tools/run.sh", "#!/bin/sh\n", 0o755);
    mkdirSync(join(side.state, "workspace/empty folder"));
    put(side.state, "workspace/ends with a space ", "[x] * ?");
    put(side.state, "workspace/nothing", "");
    link(side.state, "workspace/link", "MEMORY.md");
    await commit();

    const prefix = "agents/main/backups/";
    for (const [key, held] of bucket.objects) {
      const file = join(folder, key.slice(prefix.length));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, held.bytes);
    }
    writeFileSync(join(folder, "key.txt"), `${identity}\n`);
    const commands = documentedCommands();
    const fitting = encrypted ? commands : commands.replace("age -d -i key.txt | ", "");
    execFileSync("bash", ["-c", fitting], { cwd: folder, stdio: "pipe" });
    expect(contentOf(join(folder, "restored/.openclaw"))).toEqual(contentOf(side.state));
  } finally {
    side.lose();
    rmSync(folder, { recursive: true, force: true });
  }
});

function documentedCommands(): string {
  const text = readFileSync(resolve(import.meta.dirname, "../../docs/storage.md"), "utf8");
  const [, commands] = /```bash restore\n([\s\S]*?)```/.exec(text) ?? [];
  if (commands === undefined) throw new Error("docs/storage.md has no commands");
  return commands;
}
