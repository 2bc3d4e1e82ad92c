/** Archives from anybody, through the whole way: sent in parts, looked at, and waiting at a start. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { generateX25519Identity } from "age-encryption";
import * as fc from "fast-check";
import { pack } from "tar-stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { memoryBucket } from "../support/backup-bucket.ts";
import { dryRun, importStates, upload } from "../support/backup-import.ts";
import { workerSide, type WorkerSide } from "../support/backup-rig.ts";
import { startSandboxSide, type SandboxSide } from "../support/backup-sandbox-side.ts";
import { contentOf, put } from "../support/backup-state.ts";

type Given = Parameters<ReturnType<typeof pack>["entry"]>[0] & { content?: string | Buffer };

let outside: string;
let sides: SandboxSide[];

beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), "backup-hostile-"));
  sides = [];
});
afterEach(() => {
  for (const side of sides) side.lose();
  rmSync(outside, { recursive: true, force: true });
});

/** The home lies in a folder of its own, in which nothing else may appear. */
async function start(worker: WorkerSide, n: number): Promise<SandboxSide> {
  const home = join(outside, "home");
  rmSync(home, { recursive: true, force: true });
  const side = await startSandboxSide(worker, n, { home });
  sides.push(side);
  return side;
}

async function archiveOf(entries: readonly Given[]): Promise<Uint8Array<ArrayBuffer>> {
  const tar = pack();
  for (const { content, ...head } of entries) {
    if (content === undefined) tar.entry(head);
    else tar.entry(head, content);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Uint8Array.from(gzipSync(Buffer.concat(chunks), { level: 1 }));
}

const HONEST: Given[] = [
  { name: ".moltbot/", type: "directory" },
  { name: ".moltbot/workspace/MEMORY.md", content: "from elsewhere" },
];

const HOSTILE: [what: string, entries: Given[], says: RegExp][] = [
  [
    "a path that climbs out",
    [{ name: ".moltbot/../../evil", content: "x" }],
    /\.\.\/evil leads out/,
  ],
  ["an absolute path", [{ name: "/tmp/evil", content: "x" }], /^\/tmp\/evil is an absolute path/],
  [
    "a link to a folder outside, and a file written through it",
    [
      { name: ".moltbot/workspace/w", type: "symlink", linkname: "../../.." },
      { name: ".moltbot/workspace/w/evil", content: "x" },
    ],
    /workspace\/w is a link that leads out/,
  ],
  [
    "a hard link",
    [{ name: ".moltbot/workspace/h", type: "link", linkname: "/etc/passwd" }],
    /workspace\/h is a hard link/,
  ],
  [
    "a device",
    [{ name: ".moltbot/workspace/d", type: "character-device", devmajor: 1, devminor: 3 }],
    /workspace\/d is a device/,
  ],
  ["a pipe", [{ name: ".moltbot/workspace/p", type: "fifo" }], /workspace\/p is a pipe/],
  [
    "a file of another owner",
    [{ name: ".moltbot/workspace/o", uid: 1234, content: "x" }],
    /workspace\/o belongs to user 1234/,
  ],
  [
    "a program with other rights",
    [{ name: ".moltbot/workspace/s", mode: 0o6755, content: "x" }],
    /workspace\/s would run with other rights/,
  ],
  [
    "one name twice",
    [{ name: ".moltbot/workspace/./MEMORY.md", content: "x" }],
    /MEMORY\.md is there twice/,
  ],
  [
    "far more in it than its size can mean",
    [{ name: ".moltbot/workspace/bomb", content: Buffer.alloc(80 * 1024 ** 2) }],
    /workspace\/bomb unpacks to more/,
  ],
];

describe("a hostile archive", () => {
  test.each(HOSTILE)(
    "with %s is refused by the entry's name, in the dry run and at the start",
    async (_, entries, says) => {
      const worker = await workerSide(memoryBucket(), {
        identities: [await generateX25519Identity()],
      });
      const side = await start(worker, 1);
      put(side.state, "workspace/MEMORY.md", "mine");
      await side.backups.commit("change");
      const mine = contentOf(side.state);
      const id = await upload(worker, await archiveOf([...HONEST, ...entries]));
      const looked = await dryRun(worker, id);
      expect(looked.ok ? "taken" : looked.message).toMatch(says);
      expect(await worker.backups.imports.apply(id)).toMatchObject({ ok: true });
      const again = await start(worker, 2);
      expect(contentOf(again.state)).toEqual(mine);
      expect(readdirSync(outside)).toEqual(["home"]);
      const [refused] = await importStates(worker);
      expect(refused?.state).toBe("refused");
      expect(refused?.problem).toMatch(says);
    },
  );
});

const name = fc.stringMatching(/^[a-z0-9]{1,6}$/);
const file = fc.record({
  path: fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/")),
  // Around the sizes at which a block of the archive and a part of a file end.
  content: fc
    .oneof(
      fc.constantFrom(0, 1, 511, 512, 513, 65_535, 65_536, 65_537),
      fc.integer({ min: 0, max: 2000 }),
    )
    .map((size) => Buffer.alloc(size, 7)),
  mode: fc.constantFrom(0o600, 0o640, 0o755),
});
const honest = fc
  .array(file, { minLength: 1, maxLength: 8 })
  .map((files) =>
    files.filter(({ path }, i) => !files.some((other, j) => clash(path, other.path, i, j))),
  );

function clash(path: string, other: string, i: number, j: number): boolean {
  return j < i && (path === other || path.startsWith(`${other}/`) || other.startsWith(`${path}/`));
}

describe("any archive", () => {
  test("that is in order comes in as it is, and is as the dry run said", async () => {
    await fc.assert(
      fc.asyncProperty(
        honest,
        fc.constantFrom(".openclaw", "root/.moltbot"),
        async (files, root) => {
          const worker = await workerSide(memoryBucket());
          const entries = files.map(({ path, ...rest }) => ({
            name: `${root}/workspace/${path}`,
            ...rest,
          }));
          const id = await upload(worker, await archiveOf(entries));
          const looked = await dryRun(worker, id);
          await worker.backups.imports.apply(id);
          const { state } = await start(worker, 1);
          const found = Object.entries(contentOf(state)).filter(([, what]) =>
            what.startsWith("file"),
          );
          expect(found.map(([path]) => path).sort()).toEqual(
            files.map(({ path }) => `workspace/${path}`).sort(),
          );
          expect(looked).toMatchObject({ ok: true, report: { root, files: files.length } });
          const modes = Object.fromEntries(found.map(([path, what]) => [path, what.split(" ")[1]]));
          for (const { path, mode } of files) {
            expect(modes[`workspace/${path}`]).toBe(mode.toString(8));
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test("with bytes changed or missing is taken whole or refused whole, and nothing lands elsewhere", async () => {
    const entries = [
      ...HONEST,
      { name: ".moltbot/workspace/b/c", content: Buffer.alloc(3000, 5) },
      { name: ".moltbot/media/x", content: Buffer.alloc(700, 6) },
    ];
    const sound = await archiveOf(entries);
    const first = await workerSide(memoryBucket());
    await first.backups.imports.apply(await upload(first, sound));
    const whole = contentOf((await start(first, 1)).state);
    expect(whole["workspace/b/c"]).toBeDefined();
    const spoilt = fc.oneof(
      fc
        .array(fc.tuple(fc.nat(sound.length - 1), fc.integer({ min: 0, max: 255 })), {
          minLength: 1,
          maxLength: 4,
        })
        .map((changes) => {
          const copy = Uint8Array.from(sound);
          for (const [at, byte] of changes) copy[at] = byte;
          return copy;
        }),
      fc.integer({ min: 1, max: sound.length - 1 }).map((length) => sound.slice(0, length)),
    );
    await fc.assert(
      fc.asyncProperty(spoilt, async (bytes) => {
        const worker = await workerSide(memoryBucket());
        const side = await start(worker, 1);
        put(side.state, "workspace/MEMORY.md", "mine");
        await side.backups.commit("change");
        const mine = contentOf(side.state);
        await worker.backups.imports.apply(await upload(worker, bytes));
        const again = await start(worker, 2);
        const [one] = await importStates(worker);
        const content = contentOf(again.state);
        expect([
          { state: "refused", content: mine },
          { state: "done", content: whole },
        ]).toContainEqual({ state: one?.state, content });
        expect(readdirSync(outside)).toEqual(["home"]);
      }),
      { numRuns: 60 },
    );
  });
});
