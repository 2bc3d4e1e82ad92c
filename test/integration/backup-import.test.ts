/** A state that comes from elsewhere, and the same that goes elsewhere, with the system's own tar. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { generateX25519Identity } from "age-encryption";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exportArchive } from "../../src/worker/backups/export.ts";
import { bytesOf } from "../../src/worker/backups/streams.ts";
import { dryRun, importStates, sendPart, upload } from "../support/backup-import.ts";
import { memoryBucket, type MemoryBucket } from "../support/backup-bucket.ts";
import { notebook, workerSide, type WorkerSide } from "../support/backup-rig.ts";
import { startSandboxSide, type SandboxSide } from "../support/backup-sandbox-side.ts";
import { addRows, contentOf, link, put, rowsOf } from "../support/backup-state.ts";

let bucket: MemoryBucket;
let worker: WorkerSide;
let folder: string;
let sides: SandboxSide[];

beforeEach(async () => {
  bucket = memoryBucket();
  worker = await workerSide(bucket, { identities: [await generateX25519Identity()] });
  folder = mkdtempSync(join(tmpdir(), "backup-import-"));
  sides = [];
});
afterEach(() => {
  for (const side of sides) side.lose();
  rmSync(folder, { recursive: true, force: true });
});

async function start(n: number): Promise<SandboxSide> {
  const side = await startSandboxSide(worker, n);
  sides.push(side);
  return side;
}

function write(path: string, content: string | Uint8Array): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/** As a person packs a self-hosted install: `tar -czf moltbot-backup.tar.gz ~/.moltbot`. */
function packed(root = "home/me/.moltbot"): Uint8Array<ArrayBuffer> {
  execFileSync("tar", ["-czf", "moltbot-backup.tar.gz", root], { cwd: folder });
  return Uint8Array.from(readFileSync(join(folder, "moltbot-backup.tar.gz")));
}

function selfHosted(): void {
  write("home/me/.moltbot/workspace/MEMORY.md", "I like tea");
  write("home/me/.moltbot/workspace/tools/run.sh", "#!/bin/sh");
  write("home/me/.moltbot/moltbot.json", '{"gateway":{"auth":{"token":"planted-secret"}}}');
  write("home/me/.moltbot/.env", "KEY=planted-secret");
  const path = join(folder, "home/me/.moltbot/state/openclaw.sqlite");
  mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (v TEXT); INSERT INTO t VALUES ('old')");
  database.exec("CREATE TABLE auth_profile_store (store_json TEXT)");
  database.exec("INSERT INTO auth_profile_store VALUES ('planted-secret')");
  database.close();
}

const states = () => importStates(worker);

const newest = async () => {
  const listed = await worker.backups.list();
  return listed.ok ? listed.value[0] : undefined;
};

describe("an archive from elsewhere", () => {
  test("is taken in at the next start, on top of a generation of what was there", async () => {
    selfHosted();
    const side = await start(1);
    put(side.state, "workspace/MEMORY.md", "I liked coffee");
    await side.backups.commit("change");
    const before = (await newest())?.n ?? 0;
    const id = await upload(worker, packed());
    expect(await states()).toMatchObject([{ id, state: "uploaded" }]);
    expect(await worker.backups.imports.apply(id)).toMatchObject({ ok: true });
    const again = await start(2);
    expect(memory(again)).toBe("I like tea");
    expect(rowsOf(join(again.state, "state/openclaw.sqlite"))).toEqual(["old"]);
    expect(await newest()).toMatchObject({ reason: "import", parent: before });
    expect(await states()).toMatchObject([{ state: "done" }]);
    expect([...bucket.objects.keys()].filter((key) => key.includes("/imports/"))).toEqual([]);

    put(again.state, "workspace/MEMORY.md", "I like both");
    await again.backups.commit("change");
    expect(memory(await start(3))).toBe("I like both");
    await worker.backups.restoreTo(before);
    expect(memory(await start(4))).toBe("I liked coffee");
  });

  test("is described by a dry run that changes nothing, with what stays behind", async () => {
    selfHosted();
    const side = await start(1);
    const id = await upload(worker, packed());
    const objects = [...bucket.objects.keys()];
    expect(await dryRun(worker, id)).toMatchObject({
      ok: true,
      report: {
        root: "home/me/.moltbot",
        files: 3,
        secrets: [
          { path: ".openclaw/.env", kind: "environment" },
          { path: ".openclaw/moltbot.json#gateway.auth.token", kind: "config" },
        ],
        relink: [{ what: "devices" }],
      },
    });
    expect([...bucket.objects.keys()]).toEqual(objects);
    side.lose();
    expect(contentOf((await start(2)).state)).toEqual({});
    expect(await states()).toMatchObject([{ id, state: "uploaded" }]);
  });

  test("leaves every secret behind, also those inside databases", async () => {
    selfHosted();
    await worker.backups.imports.apply(await upload(worker, packed()));
    const { state } = await start(1);
    const grep = execFileSync("bash", ["-c", "grep -rc planted-secret . | grep -v ':0' || true"], {
      cwd: state,
      encoding: "utf8",
    });
    expect(grep).toBe("");
    expect(Object.keys(contentOf(state))).not.toContain(".env");
  });

  test("in the bucket under its usual name is picked up once, also by an agent that has nothing", async () => {
    selfHosted();
    const only = { onlyIf: { etagDoesNotMatch: "*" } } as const;
    await bucket.put("moltbot-backup.tar.gz", packed(), only);
    const side = await start(1);
    expect(memory(side)).toBe("I like tea");
    put(side.state, "workspace/MEMORY.md", "onwards");
    await side.backups.commit("change");
    const again = await start(2);
    expect(memory(again)).toBe("onwards");
    expect(await states()).toMatchObject([{ id: "bucket", state: "done" }]);
  });

  test("is sent in parts, of which those that are missing are known", async () => {
    for (let i = 0; i < 8; i++) {
      write(`home/me/.moltbot/media/${i}`, randomBytes(2_500_000));
    }
    const bytes = packed();
    const notes = notebook();
    const { identities } = worker.keys ?? { identities: [] };
    const open = () =>
      workerSide(bucket, { notes, identities: identities.map(({ identity }) => identity) });
    worker = await open();
    const begun = await worker.backups.imports.begin("a.tar.gz", bytes.byteLength);
    const id = begun.ok ? begun.value.id : "";
    expect(await sendPart(worker, id, 2, bytes)).toMatchObject({ missing: [0, 1] });
    // The Durable Object begins anew, and a page that was closed asks what is missing.
    worker = await open();
    expect(await worker.backups.imports.list()).toMatchObject({
      value: [{ id, state: "uploading", missing: [0, 1] }],
    });
    await sendPart(worker, id, 0, bytes);
    expect(await worker.backups.imports.apply(id)).toMatchObject({ ok: false, reason: "missing" });
    // Sent once more, because the answer to the first time was lost.
    expect(await sendPart(worker, id, 0, bytes)).toMatchObject({ missing: [1] });
    expect(worker.backups.imports.part(id, 1, 5)).toMatchObject({ ok: false, reason: "invalid" });
    await sendPart(worker, id, 1, bytes);
    expect(await worker.backups.imports.apply(id)).toMatchObject({ ok: true });
    expect(Object.keys(contentOf((await start(1)).state))).toContain("media/7");
  });

  test.each([
    [
      "that is hostile",
      () => symlinkSync("/etc", join(folder, "home/me/.moltbot/w")),
      /w is a link/,
    ],
    ["that is damaged", (): void => undefined, /gzip|damaged/],
    [
      "with a broken database of the gateway",
      () => write("home/me/.moltbot/state/openclaw.sqlite", `SQLite format 3\0${"x".repeat(9000)}`),
      /openclaw\.sqlite/,
    ],
  ])("%s is refused, and the agent goes on with what it has", async (what, spoil, says) => {
    selfHosted();
    spoil();
    const side = await start(1);
    put(side.state, "workspace/MEMORY.md", "mine");
    await side.backups.commit("change");
    const bytes = packed();
    if (what === "that is damaged") bytes.fill(7, bytes.length / 2, bytes.length / 2 + 40);
    await worker.backups.imports.apply(await upload(worker, bytes));
    const again = await start(2);
    expect(contentOf(again.state)).toEqual(contentOf(side.state));
    const [refused] = await states();
    expect(refused?.state).toBe("refused");
    expect(refused?.problem).toMatch(says);
    put(again.state, "workspace/MEMORY.md", "still mine");
    expect(await again.backups.commit("change")).toMatchObject({ ok: true, made: true });
    await start(3);
  });

  test("that cannot be read fails the start instead, and comes in at a later one", async () => {
    selfHosted();
    const id = await upload(worker, packed());
    await worker.backups.imports.apply(id);
    const key = [...bucket.objects.keys()].find((one) => one.includes("/imports/")) ?? "";
    const held = bucket.objects.get(key);
    bucket.objects.delete(key);
    await expect(start(1)).rejects.toThrow(/part 0/);
    expect(await states()).toMatchObject([{ state: "waiting" }]);
    if (held !== undefined) bucket.objects.set(key, held);
    expect(readdir((await start(2)).state)).toContain("workspace/MEMORY.md");
  });
});

describe("an archive for elsewhere", () => {
  async function exported(): Promise<Uint8Array<ArrayBuffer>> {
    const plan = await worker.backups.planTo();
    if (!plan.ok) throw new Error(plan.message);
    const archive = await exportArchive(plan.value, { agentId: "main", bucket, keys: worker.keys });
    if (!archive.ok) throw new Error(archive.message);
    return bytesOf(archive.value, 1024 ** 3);
  }

  async function lived(): Promise<SandboxSide> {
    const side = await start(1);
    put(side.state, "workspace/MEMORY.md", "first");
    put(side.state, "media/big.bin", randomBytes(300_000));
    for (let i = 0; i < 40; i++)
      addRows(join(side.state, "state/openclaw.sqlite"), "x".repeat(4000));
    await side.backups.commit("change");
    put(side.state, "workspace/MEMORY.md", "second", 0o640);
    addRows(join(side.state, "state/openclaw.sqlite"), "one more");
    put(side.state, `workspace/${"long/".repeat(30)}name`, "deep");
    mkdirSync(join(side.state, "workspace/empty"));
    link(side.state, "workspace/link", "MEMORY.md");
    await side.backups.commit("change");
    return side;
  }

  test("holds what the state holds, for the tar of the system", async () => {
    const side = await lived();
    write("out.tar.gz", await exported());
    execFileSync("tar", ["-xzf", "out.tar.gz"], { cwd: folder });
    expect(contentOf(join(folder, ".openclaw"))).toEqual(contentOf(side.state));
  });

  test("comes back in as it went out", async () => {
    const side = await lived();
    mkdirSync(join(side.state, "workspace/shared"));
    chmodSync(join(side.state, "workspace/shared"), 0o755);
    link(side.state, "workspace/shared/up", "../../media");
    utimesSync(join(side.state, "workspace/MEMORY.md"), 1_700_000_000, 1_700_000_000);
    await side.backups.commit("change");
    const archive = await exported();
    await worker.backups.startAfresh();
    await worker.backups.imports.apply(await upload(worker, archive));
    const again = await start(2);
    expect(contentOf(again.state)).toEqual(contentOf(side.state));
    expect(statSync(join(again.state, "workspace/MEMORY.md")).mtimeMs).toBe(1_700_000_000_000);
  });

  test("breaks off when content is not what was committed", async () => {
    await lived();
    const pack = [...bucket.objects.keys()].find((key) => key.endsWith("0000.pack")) ?? "";
    const held = bucket.objects.get(pack);
    if (held !== undefined) held.bytes.fill(7, held.bytes.length / 2, held.bytes.length / 2 + 9);
    await expect(exported()).rejects.toThrow(/decrypt|tag|authenticat/i);
  });
});

function memory({ state }: SandboxSide): string {
  return readFileSync(join(state, "workspace/MEMORY.md"), "utf8");
}

function readdir(state: string): string[] {
  return Object.keys(contentOf(state)).sort();
}
