/** Downloads of generations whose packs are made by hand: what no sandbox makes often, or at all. */
import { createHash, randomBytes } from "node:crypto";
import { createGunzip } from "node:zlib";
import { beforeEach, expect, test } from "vitest";
import { readTar } from "../../src/archive/tar-reader.ts";
import { LIST_ENTRY, type FileList } from "../../src/protocol/backup.ts";
import { entryName, sealPack, type PackEntry } from "../../src/supervisor/backups/pack.ts";
import { exportArchive, type ExportPlan } from "../../src/worker/backups/export.ts";
import { transformed } from "../../src/worker/backups/streams.ts";
import { memoryBucket, type MemoryBucket } from "../support/backup-bucket.ts";

const MB = 1024 ** 2;
const AT = Date.UTC(2030, 0, 1);
let bucket: MemoryBucket;

beforeEach(() => {
  bucket = memoryBucket();
});

function entry(name: string, bytes: Buffer | string): PackEntry {
  return { name, bytes: Buffer.from(bytes), mode: 0o600, modified: AT };
}

function sha256(bytes: Buffer | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function whole(path: string, bytes: Buffer | string, pack = 0): FileList["files"][number] {
  const size = Buffer.byteLength(bytes);
  return { path, mode: 0o600, modified: AT, size, sha256: sha256(bytes), pack };
}

/** Generation 1, with these packs; the list lies at the beginning of the last one. */
async function generation(
  files: FileList["files"],
  packs: PackEntry[][],
  listed = "",
): Promise<ExportPlan> {
  const ids = packs.map((_, i) => `1.${i}`);
  const list = { format: 1, agentId: "main", generation: 1, parent: 0, at: AT, reason: "change" };
  const text = JSON.stringify({ ...list, packs: ids, folders: [], links: [], files }) + listed;
  packs.at(-1)?.unshift(entry(LIST_ENTRY, text));
  for (const [i, entries] of packs.entries()) {
    const key = `agents/main/backups/packs/0000000001/${String(i).padStart(4, "0")}.pack`;
    const { bytes } = await sealPack(entries, undefined);
    await bucket.put(key, bytes, { onlyIf: { etagDoesNotMatch: "*" } });
  }
  const listPack = ids.at(-1) ?? "";
  return {
    ...{ outcome: "restore", generation: 1, packs: ids, listPack, passedOver: [] },
    listSha256: sha256(text),
  };
}

/** What whoever unpacks the download has, by path. */
async function downloaded(plan: ExportPlan): Promise<Map<string, Buffer>> {
  const archive = await exportArchive(plan, { agentId: "main", bucket, keys: undefined });
  if (!archive.ok) throw new Error(`${archive.reason}: ${archive.message}`);
  const found = new Map<string, Buffer>();
  for await (const { path, body } of readTar(transformed(archive.value, createGunzip()))) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of body()) chunks.push(chunk.slice());
    found.set(path, Buffer.concat(chunks));
  }
  return found;
}

test("a pack of very many small files, most of which is framing, can be downloaded", async () => {
  const folder = `.openclaw/workspace/node_modules/${"a-package/".repeat(10)}`;
  const content = randomBytes(450).toString("hex");
  const paths = Array.from({ length: 17_000 }, (_, i) => `${folder}file-${i}.js`);
  const plan = await generation(
    paths.map((path, i) => whole(path, `${content}${i}`)),
    [paths.map((path, i) => entry(path, `${content}${i}`))],
  );
  const found = await downloaded(plan);
  expect(found.size).toBe(paths.length);
  expect(paths.filter((path, i) => found.get(path)?.toString() !== `${content}${i}`)).toEqual([]);
});

test("large files whose parts lie in many packs, and small ones between them, come out whole", async () => {
  const parts = Array.from({ length: 12 }, () => randomBytes(65_536));
  const large = ".openclaw/workspace/large";
  const packs: PackEntry[][] = [[], [], [], []];
  for (const [i, part] of parts.entries()) packs[i % 4]?.push(entry(entryName(large, i), part));
  const small = packs.map((entries, i) => {
    const path = `.openclaw/workspace/small-${i}`;
    entries.push(entry(path, `${i}`));
    return whole(path, `${i}`, i);
  });
  const plan = await generation(
    [
      {
        ...{ path: large, mode: 0o600, modified: AT, size: 12 * 65_536, partSize: 65_536 },
        parts: parts.map((part, i): [string, number] => [sha256(part), i % 4]),
      },
      ...small,
    ],
    packs,
  );
  const found = await downloaded(plan);
  expect(found.get(large)?.equals(Buffer.concat(parts))).toBe(true);
  expect(small.map(({ path }) => found.get(path)?.toString())).toEqual(["0", "1", "2", "3"]);
});

test("of a name that a pack holds twice the one that is listed counts", async () => {
  const path = ".openclaw/a";
  const plan = await generation(
    [whole(path, "now")],
    [[entry(LIST_ENTRY, "{}"), entry(path, "old"), entry(path, "older"), entry(path, "now")]],
  );
  expect((await downloaded(plan)).get(path)?.toString()).toBe("now");
});

test.each([
  ["has other content", whole(".openclaw/a", "two")],
  ["has another size", { ...whole(".openclaw/a", "one"), size: 4 }],
  ["is not in the pack", whole(".openclaw/b", "one")],
  [
    "has parts of another size",
    {
      ...{ path: ".openclaw/p", mode: 0o600, modified: AT, size: 4, partSize: 65_536 },
      parts: [[sha256("one"), 0]] satisfies [string, number][],
    },
  ],
])("a file that %s breaks the download off", async (_, listed) => {
  const entries = [entry(".openclaw/a", "one"), entry(entryName(".openclaw/p", 0), "one")];
  const plan = await generation([listed], [entries]);
  await expect(downloaded(plan)).rejects.toThrow(/is not what was committed|another size/);
});

test("what a Worker has no memory for is refused, and the way by hand named", async () => {
  const long = await generation([], [[]], " ".repeat(25 * MB));
  await expect(downloaded(long)).rejects.toThrow(
    /a list of \d+ bytes is too long for a download: restore it by hand .*docs\/storage\.md/,
  );
  bucket.objects.clear();
  const path = ".openclaw/zeroes";
  const bytes = Buffer.alloc(25 * MB);
  const plan = await generation([whole(path, bytes)], [[entry(path, bytes)]]);
  await expect(downloaded(plan)).rejects.toThrow(/too large at once: restore it by hand/);
});
