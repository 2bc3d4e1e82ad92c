import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { generateX25519Identity } from "age-encryption";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { decryptInPlace } from "../../src/archive/age-payload.ts";
import { HostClient } from "../../src/supervisor/backups/host-client.ts";
import { sealPack } from "../../src/supervisor/backups/pack.ts";
import { listIn } from "../../src/supervisor/backups/pack-content.ts";
import { memoryBucket, type MemoryBucket } from "../support/backup-bucket.ts";
import {
  hostReplyOf,
  notebook,
  noWait,
  TOKEN,
  workerSide,
  type WorkerSide,
} from "../support/backup-rig.ts";
import { startSandboxSide, type SandboxSide } from "../support/backup-sandbox-side.ts";
import { addRows, contentOf, link, put, rowsOf } from "../support/backup-state.ts";

let bucket: MemoryBucket;
let worker: WorkerSide;
const sides: SandboxSide[] = [];

beforeEach(async () => {
  bucket = memoryBucket();
  worker = await workerSide(bucket);
});

afterEach(() => {
  for (const side of sides.splice(0)) side.lose();
});

async function start(n: number, from = worker, home?: string): Promise<SandboxSide> {
  const side = await startSandboxSide(from, n, home === undefined ? {} : { home });
  sides.push(side);
  return side;
}

async function keep(side: SandboxSide, reason: "change" | "final" = "change"): Promise<number> {
  const made = await side.backups.commit(reason);
  if (!made.ok) throw new Error(`${made.reason}: ${made.message}`);
  return made.made ? made.list.generation : 0;
}

describe("a state that is kept and restored", () => {
  test("a fresh agent is provably empty and its first change is a generation", async () => {
    const side = await start(1);
    put(side.state, "workspace/MEMORY.md", "likes tea");
    expect(await keep(side)).toBe(1);
    const again = await start(2);
    expect(contentOf(again.state)).toEqual(contentOf(side.state));
  });

  test("files, folders, links, modes and databases come back as they were", async () => {
    const side = await start(1);
    put(side.state, "openclaw.json", "{}", 0o600);
    put(side.state, "workspace/run.sh", "#!/bin/sh\n", 0o755);
    put(side.state, "workspace/empty", "");
    put(side.state, "workspace/名前 with spaces\nand a line.txt", "x");
    put(side.state, "media/large.bin", Buffer.alloc(300_001, 7));
    mkdirSync(join(side.state, "workspace/hollow"), { mode: 0o750 });
    link(side.state, "workspace/link", "/etc/passwd");
    addRows(join(side.state, "state/openclaw.sqlite"), "paired");
    await keep(side);
    expect(contentOf((await start(2)).state)).toEqual(contentOf(side.state));
  });

  test("an unchanged state writes nothing", async () => {
    const side = await start(1);
    put(side.state, "workspace/a", "1");
    await keep(side);
    const writes = bucket.calls.put;
    expect(await keep(side)).toBe(0);
    put(side.state, "workspace/a", "1");
    expect(await keep(side)).toBe(0);
    expect(bucket.calls.put).toBe(writes);
  });

  test("a restored agent that changes nothing writes nothing", async () => {
    const side = await start(1);
    put(side.state, "workspace/a", "1");
    addRows(join(side.state, "state/openclaw.sqlite"), "x");
    await keep(side);
    const again = await start(2);
    expect(await keep(again)).toBe(0);
  });

  test("a change writes one pack and the manifest", async () => {
    const side = await start(1);
    put(side.state, "workspace/a", "1");
    await keep(side);
    const writes = bucket.calls.put;
    put(side.state, "workspace/a", "2");
    await keep(side);
    expect(bucket.calls.put - writes).toBe(2);
  });

  test("what was removed stays away", async () => {
    const side = await start(1);
    put(side.state, "workspace/a", "1");
    put(side.state, "workspace/b/c", "2");
    await keep(side);
    rmSync(join(side.state, "workspace/b"), { recursive: true });
    await keep(side);
    expect(contentOf((await start(2)).state)).toEqual(contentOf(side.state));
  });

  test("caches, logs and runtime files are left out, the agent's own lock files are not", async () => {
    const side = await start(1);
    put(side.state, "cache/x", "1");
    put(side.state, "logs/gateway.log", "1");
    put(side.state, "tmp/x", "1");
    put(side.state, "gateway.pid", "1");
    put(side.state, "workspace/project/package.lock", "1");
    put(side.state, "workspace/logs/notes", "1");
    await keep(side);
    const again = await start(2);
    expect(readdirSync(again.state)).toEqual(["workspace"]);
    expect(readdirSync(join(again.state, "workspace")).sort()).toEqual(["logs", "project"]);
  });

  test("the lease heartbeat of the gateway is no change", async () => {
    const side = await start(1);
    const path = join(side.state, "state/openclaw.sqlite");
    addRows(path, "kept");
    const { DatabaseSync } = await import("node:sqlite");
    const gateway = new DatabaseSync(path);
    gateway.exec("CREATE TABLE state_leases (scope TEXT PRIMARY KEY, owner TEXT, until INTEGER)");
    gateway.exec("INSERT INTO state_leases VALUES ('gateway-owner', 'me', 1)");
    await keep(side);
    for (let i = 2; i < 5; i++) {
      gateway.exec(`UPDATE state_leases SET until = ${i}`);
      expect(await keep(side)).toBe(0);
    }
    gateway.exec("INSERT INTO t VALUES ('news')");
    expect(await keep(side)).toBeGreaterThan(0);
    gateway.close();
    const again = await start(2);
    const restored = new DatabaseSync(join(again.state, "state/openclaw.sqlite"));
    expect(restored.prepare("SELECT count(*) AS n FROM state_leases").get()?.["n"]).toBe(0);
    restored.close();
    expect(rowsOf(join(again.state, "state/openclaw.sqlite"))).toEqual(["kept", "news"]);
  });

  test("many generations restore from few packs", async () => {
    const side = await start(1);
    for (let i = 0; i < 60; i++) {
      put(side.state, `workspace/f${i % 7}`, `${i}`);
      put(side.state, `workspace/n${i}`, `${i}`);
      await keep(side);
    }
    const listed = await worker.backups.list();
    expect(listed.ok && listed.value[0]?.needs.length).toBeLessThan(26);
    expect(contentOf((await start(2)).state)).toEqual(contentOf(side.state));
  });

  test("more than one pack's worth of content is one generation", async () => {
    const side = await start(1);
    const { randomBytes } = await import("node:crypto");
    put(side.state, "media/big.bin", randomBytes(40 * 1024 * 1024));
    await keep(side);
    const listed = await worker.backups.list();
    expect(listed.ok && listed.value[0]?.packs.length).toBe(3);
    expect(contentOf((await start(2)).state)).toEqual(contentOf(side.state));
  });
});

describe("what a hostile agent may try", () => {
  test("a link in place of a file or a folder is kept as a link and never followed", async () => {
    const side = await start(1);
    put(side.home, "outside/secret", "not the agent's");
    put(side.state, "workspace/file", "1");
    put(side.state, "workspace/folder/file", "1");
    await keep(side);
    rmSync(join(side.state, "workspace/folder"), { recursive: true });
    symlinkSync(join(side.home, "outside"), join(side.state, "workspace/folder"));
    link(side.state, "workspace/file", join(side.home, "outside/secret"));
    await keep(side);
    for (const [key, held] of bucket.objects) {
      if (key.endsWith("manifest.json")) continue;
      expect(Buffer.from(held.bytes).includes("not the agent's")).toBe(false);
    }
    const again = await start(2);
    expect(contentOf(again.state)["workspace/folder"]).toContain("link ");
    expect(contentOf(again.state)["workspace/file"]).toContain("link ");
  });

  test("a pipe does not block and a broken database of its own is kept as a file", async () => {
    const side = await start(1);
    const { execFileSync } = await import("node:child_process");
    put(side.state, "workspace/a", "1");
    execFileSync("mkfifo", [join(side.state, "workspace/pipe")]);
    put(side.state, "workspace/broken.db", `SQLite format 3\0${"x".repeat(9000)}`);
    await keep(side);
    const again = await start(2);
    expect(readFileSync(join(again.state, "workspace/broken.db"), "latin1")).toContain("xxx");
    expect(side.backups.status().unkept.map((one) => one.path)).toEqual([
      ".openclaw/workspace/pipe",
    ]);
  });

  test("a broken database of the gateway stops the backup, visibly, and older ones stay", async () => {
    const side = await start(1);
    const path = join(side.state, "state/openclaw.sqlite");
    addRows(path, "good");
    await keep(side);
    put(side.state, "state/openclaw.sqlite", `SQLite format 3\0${"x".repeat(9000)}`);
    await expect(keep(side)).rejects.toThrow(/openclaw.sqlite/);
    expect(side.backups.status().failures).toBe(1);
    expect(rowsOf(join((await start(2)).state, "state/openclaw.sqlite"))).toEqual(["good"]);
  });
});

describe("fencing", () => {
  test("of two sandboxes of one agent exactly the newer one can commit", async () => {
    const first = await start(1);
    put(first.state, "workspace/a", "1");
    await keep(first);
    const second = await start(2);
    put(first.state, "workspace/a", "from the old one");
    put(second.state, "workspace/a", "from the new one");
    await expect(keep(first)).rejects.toThrow(/stale/);
    expect(first.backups.status().state).toBe("fenced");
    await keep(second);
    expect(readFileSync(join((await start(3)).state, "workspace/a"), "utf8")).toBe(
      "from the new one",
    );
  });

  test("without the token nothing is answered", async () => {
    const side = await start(1);
    put(side.state, "workspace/a", "1");
    await keep(side);
    const host = worker.host(1, "a token that an agent's program made up");
    expect(await host.plan()).toMatchObject({ ok: false, reason: "unauthorised" });
    expect(await host.reserve()).toMatchObject({ ok: false, reason: "unauthorised" });
    expect(await host.readPack("1.0")).toMatchObject({ ok: false, reason: "unauthorised" });
    const bare = await worker.request(1, "http://backup.moltworker.internal/v1/plan", {});
    expect(bare.status).toBe(401);
  });

  test("a sandbox makes no generation that only an admin decides on", async () => {
    await start(1);
    const host = worker.host(1);
    const reserved = await host.reserve();
    if (!reserved.ok) throw new Error(reserved.message);
    const { generation } = reserved.value;
    const sealed = await sealPack([], undefined);
    const id = `${generation}.0`;
    expect(await host.storePack(id, sealed)).toMatchObject({ ok: true });
    const commit = (reason: string) =>
      worker.request(1, `http://backup.moltworker.internal/v1/generations/${generation}`, {
        method: "POST",
        headers: { authorization: `Bearer ${TOKEN}` },
        body: JSON.stringify({
          ...{ parent: 0, reason, needs: [id], listSha256: "0".repeat(64), files: 0, bytes: 0 },
          packs: [{ id, size: sealed.bytes.byteLength, sha256: sealed.sha256 }],
          changes: { changed: 0, removed: 0, bytes: 0, paths: [] },
        }),
      });
    for (const reason of ["afresh", "restore"]) {
      const refused = await commit(reason);
      expect(await refused.json()).toMatchObject({
        reason: "invalid",
        message: expect.stringMatching(/^reason: /),
      });
    }
    expect((await commit("change")).status).toBe(200);
  });

  test("a stored pack is never replaced, and nothing can be deleted", async () => {
    const side = await start(1);
    put(side.state, "workspace/a", "1");
    await keep(side);
    const before = new Map(bucket.objects);
    const send = (method: string) =>
      worker.request(1, "http://backup.moltworker.internal/v1/packs/1.0", {
        method,
        ...(method === "PUT" ? { body: "other" } : {}),
        headers: {
          authorization: "Bearer control-token-of-this-test-0123456789abcdef",
          "content-length": "5",
          "x-moltworker-sha256": "0".repeat(64),
        },
      });
    expect((await send("PUT")).status).toBe(400);
    expect((await send("DELETE")).status).toBe(400);
    expect(bucket.objects).toEqual(before);
  });

  test("packs are readable only while a restore is open", async () => {
    const side = await start(1);
    put(side.state, "workspace/a", "1");
    await keep(side);
    expect(await worker.host(1).readPack("1.0")).toMatchObject({ ok: false, reason: "closed" });
  });

  test("a flood is refused and says when to come back", async () => {
    let now = Date.now();
    const tight = await workerSide(bucket, {
      now: () => now,
      bounds: { atOnce: { bytes: 1e9, commits: 2 }, perHour: { bytes: 1e9, commits: 4 } },
    });
    const side = await start(1, tight);
    for (const n of [1, 2]) {
      put(side.state, "workspace/a", `${n}`);
      await keep(side);
    }
    put(side.state, "workspace/a", "3");
    const made = await side.backups.commit("change");
    expect(made).toMatchObject({ ok: false, reason: "bounded" });
    const wait = made.ok ? 0 : (made.retryAfterMs ?? 0);
    expect(wait).toBeGreaterThan(600_000);
    expect(wait).toBeLessThanOrEqual(900_000);
    now += wait;
    await keep(side);
  });
});

describe("going back", () => {
  test("a restore to a point makes its content the newest and keeps what was", async () => {
    const side = await start(1);
    for (const n of [1, 2, 3]) {
      put(side.state, "workspace/a", `${n}`);
      await keep(side);
    }
    expect(await worker.backups.restoreTo(1)).toMatchObject({ ok: true, value: 4 });
    put(side.state, "workspace/a", "fenced");
    await expect(keep(side)).rejects.toThrow(/stale/);
    const again = await start(2);
    expect(readFileSync(join(again.state, "workspace/a"), "utf8")).toBe("1");
    put(again.state, "workspace/a", "onwards");
    const newest = await keep(again);
    const listed = await worker.backups.list();
    expect(listed.ok && listed.value.map((one) => one.n)).toEqual([newest, 4, 3, 2, 1]);
  });

  test("starting afresh is empty by decision, and can be undone", async () => {
    const side = await start(1);
    put(side.state, "workspace/a", "1");
    await keep(side);
    await worker.backups.startAfresh();
    const fresh = await start(2);
    expect(readdirSync(fresh.state)).toEqual([]);
    put(fresh.state, "workspace/b", "new life");
    expect(await keep(fresh)).toBe(3);
    await worker.backups.restoreTo(1);
    expect(readdirSync(join((await start(3)).state, "workspace"))).toEqual(["a"]);
  });
});

describe("encryption", () => {
  test("what lies in the bucket is age, and the key restores it", async () => {
    const identity = await generateX25519Identity();
    const sealed = await workerSide(bucket, { identities: [identity] });
    const side = await start(1, sealed);
    put(side.state, "workspace/diary.md", "a private thought");
    await keep(side);
    for (const [key, held] of bucket.objects) {
      const text = Buffer.from(held.bytes).toString("latin1");
      expect(text).not.toContain("private thought");
      expect(key.endsWith(".pack")).toBe(text.startsWith("age-encryption.org/v1\n"));
    }
    expect(contentOf((await start(2, sealed)).state)).toEqual(contentOf(side.state));
  });

  test("who reads a pack is given what opens this one, and no other", async () => {
    const identity = await generateX25519Identity();
    const sealed = await workerSide(bucket, { identities: [identity] });
    const side = await start(1, sealed);
    put(side.state, "workspace/a", "first");
    await keep(side);
    put(side.state, "workspace/a", "second");
    await keep(side);
    await sealed.backups.claim(2);
    const [one, two] = await Promise.all(
      ["1.0", "2.0"].map(async (pack) => {
        const read = await sealed.host(2).readPack(pack);
        if (!read.ok || read.value.fileKey === undefined) throw new Error(`${pack}: no key`);
        return { bytes: read.value.bytes, fileKey: read.value.fileKey };
      }),
    );
    if (one === undefined || two === undefined) throw new Error("two packs are read");
    expect(one.fileKey).toHaveLength(16);
    const open = ({ fileKey }: typeof one, bytes: Uint8Array) =>
      decryptInPlace(fileKey, Uint8Array.from(bytes), () => undefined);
    expect(() => open(two, one.bytes)).toThrow(/./);
    expect(() => open(one, two.bytes)).toThrow(/./);
    const text = await listIn({ compressed: open(two, two.bytes), seal: undefined });
    const list = JSON.parse(Buffer.from(text ?? []).toString());
    // Of the pack that it lies in it cannot say it, and no other is needed here.
    expect([list.packs, list.seals]).toEqual([["2.0"], undefined]);
    expect((await worker.host(2).readPack("1.0")).ok).toBe(false);
  });

  test("a pack whose key does not arrive with it is not taken for a damaged one", async () => {
    const sealed = await workerSide(bucket, { identities: [await generateX25519Identity()] });
    const side = await start(1, sealed);
    put(side.state, "workspace/a", "1");
    await keep(side);
    const keyless = (n: number) =>
      new HostClient({
        ...{ token: TOKEN, wait: noWait },
        async send({ url, method, headers, body }) {
          const init = { method, headers, ...(body === undefined ? {} : { body }) };
          return { ...(await hostReplyOf(await sealed.request(n, url, init))), fileKey: undefined };
        },
      });
    await expect(startSandboxSide(sealed, 2, { reach: keyless })).rejects.toThrow(/^store: .*key/);
    const listed = await sealed.backups.list();
    expect(listed.ok && listed.value.map(({ damaged }) => damaged)).toEqual([undefined]);
    expect(contentOf((await start(3, sealed)).state)).toEqual(contentOf(side.state));
  });

  test("a pack put in the place of another is not taken for it, though the key opens it", async () => {
    const sealed = await workerSide(bucket, { identities: [await generateX25519Identity()] });
    const side = await start(1, sealed);
    put(side.state, "workspace/stays", "x".repeat(100));
    await keep(side);
    for (const text of ["second", "third"]) {
      put(side.state, "workspace/a", text);
      await keep(side);
    }
    const at = (n: number) => `agents/main/backups/packs/000000000${n}/0000.pack`;
    const [own, other] = [bucket.objects.get(at(1)), bucket.objects.get(at(2))];
    if (own === undefined || other === undefined) throw new Error("there are three packs");
    bucket.objects.set(at(1), { ...own, bytes: other.bytes });
    await expect(startSandboxSide(sealed, 2)).rejects.toThrow(/^damaged: .*another pack than/);
  });

  test("a wrong key is an error that names both, never a blank start", async () => {
    const notes = notebook();
    const [mine, other] = [await generateX25519Identity(), await generateX25519Identity()];
    const side = await start(1, await workerSide(bucket, { identities: [mine], notes }));
    put(side.state, "workspace/a", "1");
    await keep(side);
    const wrong = await workerSide(bucket, { identities: [other], notes });
    await expect(startSandboxSide(wrong, 2)).rejects.toThrow(/wrong-key.*age1.*age1/s);
    const without = await workerSide(bucket, { notes });
    await expect(startSandboxSide(without, 3)).rejects.toThrow(/BACKUP_KEY is not set/);
  });

  test("after a rotation new generations use the new key and old ones open with the old", async () => {
    const notes = notebook();
    const [old, fresh] = [await generateX25519Identity(), await generateX25519Identity()];
    const side = await start(1, await workerSide(bucket, { identities: [old], notes }));
    put(side.state, "workspace/a", "1");
    put(side.state, "workspace/b", "1");
    await keep(side);
    const both = await workerSide(bucket, { identities: [fresh, old], notes });
    const again = await start(2, both);
    put(again.state, "workspace/a", "2");
    await keep(again);
    const listed = await both.backups.list();
    expect(listed.ok && new Set(listed.value.map((one) => one.recipient)).size).toBe(2);
    expect(contentOf((await start(3, both)).state)).toEqual(contentOf(again.state));
    // The first generation of the new key brought everything again: the old one has done its part.
    again.backups.close();
    const only = await workerSide(bucket, { identities: [fresh], notes });
    const later = await start(4, only);
    expect(contentOf(later.state)).toEqual(contentOf(again.state));
    put(later.state, "workspace/a", "3");
    await keep(later);
    const brought = await only.backups.list();
    expect(brought.ok && brought.value[0]?.changes.changed).toBe(1);
    expect(await only.backups.restoreTo(1)).toMatchObject({
      ok: false,
      reason: "wrong-key",
      message: expect.stringMatching(/encrypted to age1.*Set BACKUP_KEY to the identity it was/),
    });
    expect(contentOf((await start(5, only)).state)).toEqual(contentOf(later.state));
  });

  test("a key that is set later encrypts what was there before as well", async () => {
    const notes = notebook();
    const side = await start(1, await workerSide(bucket, { notes }));
    put(side.state, "workspace/a", "1");
    put(side.state, "media/large.bin", Buffer.alloc(300_000, 7));
    await keep(side);
    const sealed = await workerSide(bucket, {
      identities: [await generateX25519Identity()],
      notes,
    });
    const again = await start(2, sealed);
    await keep(again);
    const listed = await sealed.backups.list();
    const needs = listed.ok ? (listed.value[0]?.needs ?? []) : [];
    expect(needs).toEqual(["2.0"]);
    expect(contentOf((await start(3, sealed)).state)).toEqual(contentOf(side.state));
  });
});

describe("what a crash leaves on a local disk", () => {
  test("it becomes a recovery generation when it is newer, and the sandbox begins from that", async () => {
    const side = await start(1);
    put(side.state, "workspace/a", "kept");
    await keep(side);
    put(side.state, "workspace/a", "written just before the crash");
    addRows(join(side.state, "state/openclaw.sqlite"), "too");
    side.backups.close();
    const again = await start(2, worker, side.home);
    expect(readFileSync(join(again.state, "workspace/a"), "utf8")).toBe(
      "written just before the crash",
    );
    const listed = await worker.backups.list();
    expect(listed.ok && listed.value[0]?.reason).toBe("recovery");
    expect(readdirSync(again.home).sort()).toEqual([".moltworker", ".openclaw"]);
  });

  test("it is dropped when the newest generation is another one, and its own holds all of it", async () => {
    const side = await start(1);
    put(side.state, "workspace/a", "1");
    addRows(join(side.state, "state/openclaw.sqlite"), "1");
    await keep(side);
    put(side.state, "workspace/a", "2");
    await keep(side);
    await worker.backups.restoreTo(1);
    side.backups.close();
    const again = await start(2, worker, side.home);
    expect(readFileSync(join(again.state, "workspace/a"), "utf8")).toBe("1");
    expect(readdirSync(again.home).sort()).toEqual([".moltworker", ".openclaw"]);
  });

  test.each([
    ["its own, found damaged since", "here"],
    ["another sandbox's, on top of the one that it came from", "elsewhere"],
  ])("it is kept when the newest generation is %s", async (_, newest) => {
    const side = await start(1);
    put(side.state, "workspace/a", "1");
    await keep(side);
    const other = newest === "here" ? side : await start(2);
    put(other.state, "workspace/a", "2");
    const lost = await keep(other);
    put(side.state, "workspace/b", "written last");
    side.backups.close();
    for (const key of bucket.objects.keys()) {
      if (key.includes(`/packs/${String(lost).padStart(10, "0")}/`)) bucket.objects.delete(key);
    }
    await worker.backups.claim(3);
    const said = { outcome: "damaged", generation: lost, problem: "gone" } as const;
    const next = await worker.host(3).outcome(said);
    expect(next.ok && next.value.next?.generation).toBe(1);

    const again = await start(4, worker, side.home);
    expect(readFileSync(join(again.state, "workspace/b"), "utf8")).toBe("written last");
    expect(contentOf(again.state)).toEqual(contentOf((await start(5)).state));
    const listed = await worker.backups.list();
    expect(listed.ok && listed.value[0]).toMatchObject({ reason: "recovery", parent: 1 });
  });

  test("nothing else of the former home is there any more", async () => {
    const side = await start(1);
    put(side.home, ".bashrc", "echo from the sandbox before");
    put(side.state, "workspace/a", "1");
    await keep(side);
    side.backups.close();
    const again = await start(2, worker, side.home);
    expect(readdirSync(again.home).sort()).toEqual([".moltworker", ".openclaw"]);
  });

  test("a folder that the agent closed for itself does not stand in the way", async () => {
    const side = await start(1);
    put(side.state, "workspace/closed/a", "1");
    await keep(side);
    chmodSync(join(side.state, "workspace/closed"), 0o000);
    chmodSync(side.state, 0o500);
    side.backups.close();
    const again = await start(2, worker, side.home);
    expect(readdirSync(again.home).sort()).toEqual([".moltworker", ".openclaw"]);
    expect(readFileSync(join(again.state, "workspace/closed/a"), "utf8")).toBe("1");
  });
});
