/** Packs on their way between a sandbox and its Worker: what may go wrong there is nobody's damage. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Transform } from "node:stream";
import { generateX25519Identity } from "age-encryption";
import { afterEach, expect, test } from "vitest";
import { FILE_KEY_HEADER, STORED_PACK } from "../../src/protocol/backup.ts";
import { HostClient, type HostReply, type Send } from "../../src/supervisor/backups/host-client.ts";
import type { ReaderProcess } from "../../src/supervisor/backups/reader-client.ts";
import { runStateReader } from "../../src/supervisor/backups/reader.ts";
import { memoryBucket } from "../support/backup-bucket.ts";
import { hostReplyOf, noWait, TOKEN, workerSide, type WorkerSide } from "../support/backup-rig.ts";
import { startSandboxSide, type SandboxSide } from "../support/backup-sandbox-side.ts";
import { contentOf, put } from "../support/backup-state.ts";

const sides: SandboxSide[] = [];
afterEach(() => {
  for (const side of sides.splice(0)) side.lose();
});

type Options = Parameters<typeof startSandboxSide>[2];

async function start(worker: WorkerSide, n: number, options: Options = {}): Promise<SandboxSide> {
  const side = await startSandboxSide(worker, n, options);
  sides.push(side);
  return side;
}

async function keep({ backups }: SandboxSide): Promise<void> {
  expect(await backups.commit("change")).toMatchObject({ ok: true, made: true });
}

async function damaged(worker: WorkerSide): Promise<unknown[]> {
  const listed = await worker.backups.list();
  return listed.ok ? listed.value.flatMap((one) => one.damaged ?? []) : [listed];
}

/** A host between which and the Worker something happens. */
function through(
  worker: WorkerSide,
  n: number,
  { ask, answer }: { ask?: (headers: Headers) => void; answer?: (reply: HostReply) => void },
): HostClient {
  const send: Send = async ({ url, method, headers, body }) => {
    const asked = new Headers(headers);
    ask?.(asked);
    const init = { method, headers: asked, ...(body === undefined ? {} : { body }) };
    const reply = await hostReplyOf(await worker.request(n, url, init));
    if (method === "GET" && url.includes("/packs/")) answer?.(reply);
    return reply;
  };
  return new HostClient({ token: TOKEN, wait: noWait, send });
}

/** Two generations, the second of which needs packs of both. */
async function kept(encrypted: boolean) {
  const identities = encrypted ? [await generateX25519Identity()] : [];
  const worker = await workerSide(memoryBucket(), { identities });
  const side = await start(worker, 1);
  put(side.state, "media/large", Buffer.alloc(3_000_000, "some content "), 0o444);
  await keep(side);
  put(side.state, "workspace/a", "second");
  await keep(side);
  return { worker, side, content: contentOf(side.state) };
}

test.each([
  ["plain", false, false],
  ["encrypted", true, false],
  ["plain, and needed later", false, true],
  ["encrypted, and needed later", true, true],
])(
  "a file that becomes shorter while it is read is kept as it was in the end (%s)",
  async (...row) => {
    const [, encrypted, later] = row;
    const identities = encrypted ? [await generateX25519Identity()] : [];
    const worker = await workerSide(memoryBucket(), { identities });
    let shorten: (() => void) | undefined;
    const openReader = (): Promise<ReaderProcess> => {
      const stdin = new PassThrough();
      const stdout = new Transform({
        transform(chunk: Buffer, _, done) {
          if (shorten !== undefined && chunk.includes('"part":0')) {
            shorten();
            shorten = undefined;
          }
          done(null, chunk);
        },
      });
      void runStateReader(stdin, stdout).finally(() => stdout.end());
      return Promise.resolve({ stdin, stdout, end: () => void stdin.end() });
    };
    const side = await start(worker, 1, { openReader });
    put(side.state, "workspace/log", Buffer.alloc(200_000, "a"));
    put(side.state, "workspace/other", "new");
    shorten = () => writeFileSync(join(side.state, "workspace/log"), Buffer.alloc(100_000, "b"));
    await keep(side);
    expect(shorten).toBeUndefined();
    if (later) {
      put(side.state, "workspace/later", "later");
      await keep(side);
    }
    const again = await start(worker, 2);
    expect(readFileSync(join(again.state, "workspace/log"), "utf8")).toBe("b".repeat(100_000));
    expect(contentOf(again.state)).toEqual(contentOf(side.state));
    expect(await damaged(worker)).toEqual([]);
  },
);

test.each([
  ["plain", false],
  ["encrypted", true],
])("a pack that arrives changed once is read again (%s)", async (_, encrypted) => {
  const { worker, content } = await kept(encrypted);
  const hit = new Set<number>();
  const reach = (n: number) =>
    through(worker, n, {
      answer(reply) {
        const size = reply.bytes.length;
        if (hit.has(size)) return;
        hit.add(size);
        reply.bytes[size - 60] = (reply.bytes[size - 60] ?? 0) ^ 4;
      },
    });
  const side = await start(worker, 2, { reach });
  expect(hit.size).toBe(2);
  expect(contentOf(side.state)).toEqual(content);
  expect(await damaged(worker)).toEqual([]);
});

test("a Worker of the release before decrypts by itself, and its packs are hashed", async () => {
  const { worker, content } = await kept(true);
  const seen: (string | undefined)[] = [];
  const reach = (n: number) =>
    through(worker, n, {
      ask: (headers) => headers.delete("accept"),
      answer: ({ fileKey }) => seen.push(fileKey),
    });
  const side = await start(worker, 2, { reach });
  expect(seen).toEqual([undefined, undefined]);
  expect(contentOf(side.state)).toEqual(content);
});

test("a sandbox of the release before is given packs that are decrypted, and no key", async () => {
  const { worker } = await kept(true);
  await worker.backups.claim(2);
  const ask = (headers: Record<string, string>) =>
    worker.request(2, "http://host/v1/packs/1.0", {
      headers: { Authorization: `Bearer ${TOKEN}`, ...headers },
    });
  const [plain, stored] = await Promise.all([ask({}), ask({ Accept: STORED_PACK })]);
  const beginning = async (reply: Response) =>
    Buffer.from(await reply.arrayBuffer())
      .subarray(0, 4)
      .toString("latin1");
  expect([plain.headers.get(FILE_KEY_HEADER), plain.headers.get("content-type")]).toEqual([
    null,
    "application/zstd",
  ]);
  expect(stored.headers.get(FILE_KEY_HEADER)).toMatch(/^[\w+/]{22}==$/);
  expect(stored.headers.get("content-type")).toBe(STORED_PACK);
  // The frame of zstd (RFC 8878), and that of age.
  expect([await beginning(plain), await beginning(stored)]).toEqual(["\x28\xb5\x2f\xfd", "age-"]);
});
