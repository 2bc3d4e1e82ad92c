/** The commands of docs/storage.md, run as they stand there, by the tools they name. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { expect, test } from "vitest";
import { PACK_TARGET_BYTES } from "../../src/protocol/backup.ts";
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
    put(side.state, "media/more than a pack", Buffer.alloc(PACK_TARGET_BYTES + 1_000_000, 9));
    // Names that take some care, and each kind of entry after them.
    put(side.state, "workspace/two\nlines and a tab\t", "odd");
    put(side.state, "media/in parts\n\t", Buffer.alloc(200_000, 8));
    put(side.state, "workspace/ends with a line\n/in it\n", "odder", 0o750);
    link(side.state, "workspace/link\n\t", "ends with a line\n/");
    link(side.state, "workspace/option", "-s");
    await commit();

    const prefix = "agents/main/backups/";
    for (const [key, held] of bucket.objects) {
      const file = join(folder, key.slice(prefix.length));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, held.bytes);
    }
    writeFileSync(join(folder, "key.txt"), `${identity}\n`);
    const fitting = (text: string) => (encrypted ? text : text.replace("age -d -i key.txt | ", ""));
    const run = (commands: string) =>
      execFileSync("bash", ["-c", commands], { cwd: folder, stdio: "pipe" });
    const commands = fitting(documented("restore"));
    run(commands);
    const kept = contentOf(side.state);
    expect(contentOf(join(folder, "restored/.openclaw"))).toEqual(kept);

    rmSync(join(folder, "restored"), { recursive: true });
    for (const name of ["manifest.json", "index"]) {
      rmSync(join(folder, name), { recursive: true, force: true });
    }
    // Of one generation that was never committed a pack without a list, of the next half a pack.
    const seal = encrypted ? ` | age -r ${await identityToRecipient(identity)}` : "";
    run(`mkdir packs/0000000098 packs/0000000099
      tar -c key.txt | zstd -q${seal} > packs/0000000098/0000.pack
      head -c 300 packs/0000000001/0000.pack > packs/0000000099/0000.pack`);
    const [before, after, ...more] = commands.split(/^jq .*manifest\.json.*\n/m);
    expect(more).toEqual([]);
    run(`${before}${fitting(documented("without-manifest"))}${after}`);
    expect(contentOf(join(folder, "restored/.openclaw"))).toEqual(kept);
  } finally {
    side.lose();
    rmSync(folder, { recursive: true, force: true });
  }
});

function documented(which: string): string {
  const text = readFileSync(resolve(import.meta.dirname, "../../docs/storage.md"), "utf8");
  const [, commands] = new RegExp(`\`\`\`bash ${which}\n([^]*?)\`\`\``).exec(text) ?? [];
  if (commands === undefined) throw new Error("docs/storage.md has no commands");
  return commands;
}
