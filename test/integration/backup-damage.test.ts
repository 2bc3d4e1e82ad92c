/** Objects in the bucket that are gone or damaged: a start refuses, or restores an older generation by name. */
import { generateX25519Identity } from "age-encryption";
import * as fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { memoryBucket, type MemoryBucket } from "../support/backup-bucket.ts";
import { notebook, workerSide, type WorkerSide } from "../support/backup-rig.ts";
import { sandboxSide, startSandboxSide, type SandboxSide } from "../support/backup-sandbox-side.ts";
import { addRows, contentOf, put } from "../support/backup-state.ts";

const sides: SandboxSide[] = [];
afterEach(() => {
  for (const side of sides.splice(0)) side.lose();
});

function track(side: SandboxSide): SandboxSide {
  sides.push(side);
  return side;
}

/** A bucket with two generations of one agent, and what each held. */
async function kept(identities: readonly string[] = []) {
  const bucket = memoryBucket();
  const notes = notebook();
  const worker = await workerSide(bucket, { notes, identities });
  const side = track(await startSandboxSide(worker, 1));
  put(side.state, "workspace/a", "first");
  addRows(`${side.state}/state/openclaw.sqlite`, "row");
  await side.backups.commit("change");
  const first = contentOf(side.state);
  put(side.state, "workspace/a", "second");
  put(side.state, "workspace/b", "new");
  await side.backups.commit("change");
  return { bucket, notes, side, first, second: contentOf(side.state) };
}

function copyOf(bucket: MemoryBucket): MemoryBucket {
  const copy = memoryBucket();
  for (const [key, held] of bucket.objects) copy.objects.set(key, held);
  return copy;
}

test.each([
  ["plain", false],
  ["encrypted", true],
])(
  "with any object of a bucket that is %s removed or damaged a start refuses or restores an older generation, by name",
  async (_, encrypted) => {
    const identities = encrypted ? [await generateX25519Identity()] : [];
    const { bucket, notes, first, second } = await kept(identities);
    const pages = notes.read("backups") ?? "{}";
    const keys = [...bucket.objects.keys()];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...keys),
        fc.constantFrom("remove", "flip", "cut", "swap"),
        fc.nat(),
        async (key, how, where) => {
          const copy = copyOf(bucket);
          const held = copy.objects.get(key);
          if (held === undefined) return;
          const bytes = Uint8Array.from(held.bytes);
          const at = where % bytes.length;
          if (how === "flip") bytes[at] = (bytes[at] ?? 0) ^ 0x55;
          const damaged =
            how === "cut" ? bytes.slice(0, at) : how === "swap" ? otherThan(key, copy) : bytes;
          if (how === "remove") copy.objects.delete(key);
          else copy.objects.set(key, { ...held, bytes: damaged });
          const mine = notebook();
          mine.write("backups", pages);
          const worker = await workerSide(copy, { notes: mine, identities });
          const found = await startDamaged(worker);
          // Refused with a reason, or restored: all of it, or the older one and by name.
          expect([
            { refused: expect.stringMatching(/./) },
            { content: second, passedOver: [] },
            { content: first, passedOver: [2] },
          ]).toContainEqual(found);
        },
      ),
      { numRuns: 120 },
    );
  },
);

test("a damaged line of the key in a pack is damage, not another key: an older generation starts", async () => {
  const identities = [await generateX25519Identity()];
  const { bucket, notes, first } = await kept(identities);
  const key = "agents/main/backups/packs/0000000002/0000.pack";
  const held = bucket.objects.get(key);
  if (held === undefined) throw new Error("there is no such pack");
  const bytes = Uint8Array.from(held.bytes);
  // Within the stanza that holds the file key for the one recipient, still base64.
  const at = Buffer.from(bytes).indexOf("-> X25519 ") + 20;
  bytes[at] = bytes[at] === 65 ? 66 : 65;
  bucket.objects.set(key, { ...held, bytes });
  const worker = await workerSide(bucket, { notes, identities });
  expect(await startDamaged(worker)).toEqual({ content: first, passedOver: [2] });
});

async function startDamaged(worker: WorkerSide): Promise<object> {
  const claimed = await worker.backups.claim(2);
  if (!claimed.ok) return { refused: claimed.message };
  const side = track(sandboxSide(worker.host(2)));
  const restored = await side.backups.restore();
  if (restored.outcome === "failed") return { refused: restored.message };
  if (restored.outcome === "empty") return { blank: true };
  const passedOver = restored.passedOver.map((one) => one.generation);
  return { content: contentOf(side.state), passedOver };
}

function otherThan(key: string, bucket: MemoryBucket): Uint8Array<ArrayBuffer> {
  const [, other] = [...bucket.objects].find(([name]) => name !== key) ?? [];
  return other?.bytes ?? new Uint8Array(1);
}
