/** Every single call to the bucket goes wrong once, in every way. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  faultyBucket,
  FAULTS,
  memoryBucket,
  type Fault,
  type MemoryBucket,
} from "../support/backup-bucket.ts";
import { notebook, workerSide } from "../support/backup-rig.ts";
import { startSandboxSide, type SandboxSide } from "../support/backup-sandbox-side.ts";
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
async function kept() {
  const bucket = memoryBucket();
  const notes = notebook();
  const worker = await workerSide(bucket, { notes });
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

/** Longer than anybody waits for an answer, on a clock that goes only when a call does not answer. */
const pass = (): void => void vi.advanceTimersByTime(100_000);

describe.each(FAULTS)("with the fault %s at each call in turn", (fault: Fault) => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    // The platform's own clock behind it is no timer that could be set.
    vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
      const late = new AbortController();
      setTimeout(() => late.abort(new Error(`no answer within ${ms} ms`)), ms);
      return late.signal;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  test("a start restores everything or fails and works the next time, never blank", async () => {
    const { bucket, notes, second } = await kept();
    const pages = notes.read("backups") ?? "{}";
    for (let at = 0, calls = 1; at < calls; at++) {
      const copy = copyOf(bucket);
      const mine = notebook();
      mine.write("backups", pages);
      const faulty = faultyBucket(copy, (call) => (call === at ? fault : undefined), pass);
      const worker = await workerSide(faulty, { notes: mine });
      let content: unknown;
      for (let start = 2; start < 5 && content === undefined; start++) {
        const side = await startSandboxSide(worker, start).catch(() => undefined);
        if (side === undefined) continue;
        content = contentOf(track(side).state);
      }
      calls = faulty.count();
      expect(content, `call ${at}`).toEqual(second);
    }
  });

  test("a commit works in the end, and what was kept before can still be restored", async () => {
    const { bucket, notes, second } = await kept();
    const pages = notes.read("backups") ?? "{}";
    for (let at = 0, calls = 1; at < calls; at++) {
      const copy = copyOf(bucket);
      const mine = notebook();
      mine.write("backups", pages);
      const sound = await workerSide(copy, { notes: mine });
      let through = sound;
      const side = track(await startSandboxSide(sound, 2, { reach: (n) => through.host(n) }));
      const faulty = faultyBucket(copy, (call) => (call === at ? fault : undefined), pass);
      const worker = await workerSide(faulty, { notes: mine });
      // The Durable Object restarted over a live sandbox: no claim, no restore.
      through = worker;
      put(side.state, "workspace/a", "third");
      let made = await side.backups.commit("change");
      for (let tries = 0; !made.ok && tries < 3; tries++)
        made = await side.backups.commit("change");
      calls = faulty.count();
      expect(made.ok, `call ${at}: ${made.ok ? "" : `${made.reason}: ${made.message}`}`).toBe(true);
      const third = contentOf(side.state);
      expect(contentOf(track(await startSandboxSide(sound, 3)).state)).toEqual(third);
      const listed = await sound.backups.list();
      expect(listed.ok && listed.value.map((one) => one.n)).toEqual(expect.arrayContaining([1, 2]));
      await sound.backups.restoreTo(2);
      expect(contentOf(track(await startSandboxSide(sound, 4)).state)).toEqual(second);
    }
  });
});

test("a commit that is in, though no answer said so for long, is what the next one builds on", async () => {
  const { bucket, notes, side: before } = await kept();
  before.backups.close();
  let down = false;
  const faulty = faultyBucket(bucket, (_call, kind) =>
    down && kind !== "put" ? "error" : undefined,
  );
  const worker = await workerSide(
    {
      ...faulty,
      async put(key, value, options) {
        const done = await faulty.put(key, value, options);
        // The manifest is written, and from there on nothing answers.
        if (key.endsWith("manifest.json") && armed) down = true;
        if (down) throw new Error("Network connection lost.");
        return done;
      },
    },
    { notes },
  );
  let armed = false;
  const side = track(await startSandboxSide(worker, 2));
  armed = true;
  put(side.state, "workspace/a", "third");
  expect(await side.backups.commit("change")).toMatchObject({ ok: false, reason: "store" });
  put(side.state, "workspace/a", "fourth");
  expect(await side.backups.commit("change")).toMatchObject({ ok: false, reason: "store" });
  [armed, down] = [false, false];
  expect(await side.backups.commit("change")).toMatchObject({ ok: true, made: true });
  expect(side.backups.status()).toMatchObject({ state: "watching", failures: 0 });
  const fourth = contentOf(side.state);
  side.backups.close();
  const sound = await workerSide(bucket, { notes });
  expect(contentOf(track(await startSandboxSide(sound, 3)).state)).toEqual(fourth);
  const listed = await sound.backups.list();
  expect(listed.ok && listed.value.filter(({ reason }) => reason === "change")).toHaveLength(4);
});

describe("properties", () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant("write" as const),
      path: fc.constantFrom("workspace/a", "workspace/b/c", "media/x.bin", "openclaw.json"),
      // Around the size at which a file is kept in parts.
      size: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 65_530, max: 200_000 })),
      seed: fc.integer({ min: 0, max: 255 }),
    }),
    fc.record({
      do: fc.constant("patch" as const),
      path: fc.constantFrom("workspace/a", "media/x.bin"),
      at: fc.integer({ min: 0, max: 190_000 }),
    }),
    fc.record({ do: fc.constant("rows" as const), value: fc.string({ maxLength: 20 }) }),
    fc.record({
      do: fc.constant("remove" as const),
      path: fc.constantFrom("workspace", "workspace/b", "media", "openclaw.json", "state"),
    }),
    fc.record({ do: fc.constant("keep" as const) }),
    fc.record({ do: fc.constant("move" as const) }),
  );

  test("whatever happens between them, a restore equals the state at the last commit", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const worker = await workerSide(memoryBucket());
        let start = 1;
        let side = track(await startSandboxSide(worker, start));
        const commits: boolean[] = [];
        const moves: [unknown, unknown][] = [];
        for (const one of steps) {
          if (one.do === "write") {
            put(side.state, one.path, Buffer.alloc(one.size, one.seed), 0o640);
          } else if (one.do === "patch") {
            patch(`${side.state}/${one.path}`, one.at);
          } else if (one.do === "rows") {
            addRows(`${side.state}/state/openclaw.sqlite`, one.value.replaceAll("\0", ""));
          } else if (one.do === "remove") {
            rmSync(`${side.state}/${one.path}`, { recursive: true, force: true });
          } else {
            commits.push((await side.backups.commit("change")).ok);
          }
          if (one.do === "move") {
            const before = contentOf(side.state);
            side.lose();
            side = track(await startSandboxSide(worker, ++start));
            moves.push([contentOf(side.state), before]);
          }
        }
        expect(commits).not.toContain(false);
        expect(moves.map(([after]) => after)).toEqual(moves.map(([, before]) => before));
        expect(await side.backups.commit("final")).toMatchObject({ ok: true });
        const before = contentOf(side.state);
        expect(contentOf(track(await startSandboxSide(worker, ++start)).state)).toEqual(before);
      }),
      { numRuns: 25 },
    );
  });
});

function patch(path: string, at: number): void {
  try {
    const bytes = readFileSync(path);
    if (bytes.length === 0) return;
    bytes[at % bytes.length] = 1;
    writeFileSync(path, bytes);
  } catch {
    // Not there in this run.
  }
}
