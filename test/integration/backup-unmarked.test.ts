/** A home on a local disk without a readable mark: a restore that was broken off, or a state that nothing is known of. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { setAside } from "../../src/supervisor/backups/home.ts";
import { memoryBucket } from "../support/backup-bucket.ts";
import { workerSide, type WorkerSide } from "../support/backup-rig.ts";
import { sandboxSide, startSandboxSide, type SandboxSide } from "../support/backup-sandbox-side.ts";
import { put } from "../support/backup-state.ts";

const MARK = ".moltworker/base.json";
const RESTORING = ".moltworker-restoring";
const FINISHED = [".moltworker", ".openclaw"];

let worker: WorkerSide;
let side: SandboxSide;

beforeEach(async () => {
  worker = await workerSide(memoryBucket());
  side = await startSandboxSide(worker, 1);
  put(side.state, "workspace/MEMORY.md", "one");
  await side.backups.commit("change");
  put(side.state, "workspace/MEMORY.md", "two");
  side.backups.close();
});

afterEach(() => side.lose());

async function startAgain(n = 2): Promise<void> {
  side = await startSandboxSide(worker, n, { home: side.home });
}

const memory = (state = side.state) => readFileSync(join(state, "workspace/MEMORY.md"), "utf8");
const unsaved = () => readdirSync(side.home).filter((name) => name.includes("unsaved"));
const memories = () => unsaved().map((name) => memory(join(side.home, name, ".openclaw")));

describe("a state that nothing is known of is put where a person finds it", () => {
  test.each<[string, (home: string) => void]>([
    ["its mark is empty", (home) => writeFileSync(join(home, MARK), "")],
    ["its mark is of another release", (home) => writeFileSync(join(home, MARK), '{"version":9}')],
    ["its mark is gone", (home) => rmSync(join(home, ".moltworker"), { recursive: true })],
    [
      "its mark is a link",
      (home) => {
        renameSync(join(home, MARK), join(home, "elsewhere"));
        symlinkSync("../elsewhere", join(home, MARK));
      },
    ],
    [
      "what looks like the note of a restore is none",
      (home) => {
        rmSync(join(home, MARK));
        mkdirSync(join(home, RESTORING));
      },
    ],
  ])("%s", async (_, harm) => {
    harm(side.home);
    await startAgain();
    expect(memory()).toBe("one");
    expect(memories()).toEqual(["two"]);
    expect(readdirSync(side.home).sort()).toEqual([".moltworker", ...unsaved(), ".openclaw"]);
    const reported = [expect.objectContaining({ path: unsaved()[0] })];
    expect(side.backups.status().unkept).toEqual(reported);
  });

  test("also when moving it there was broken off", async () => {
    rmSync(join(side.home, MARK));
    mkdirSync(join(side.home, ".moltworker-unmarked"));
    renameSync(join(side.home, ".moltworker"), join(side.home, ".moltworker-unmarked/.moltworker"));
    await startAgain();
    expect(memories()).toEqual(["two"]);
  });

  test("also when it was not given its name any more", async () => {
    mkdirSync(join(side.home, ".moltworker-unmarked"));
    renameSync(side.state, join(side.home, ".moltworker-unmarked/.openclaw"));
    writeFileSync(join(side.home, MARK), "");
    await startAgain();
    expect(memories()).toEqual(["two"]);
  });

  test("also when it is moved elsewhere in the home", async () => {
    rmSync(join(side.home, MARK));
    renameSync(side.state, join(side.home, "elsewhere"));
    symlinkSync("elsewhere", side.state);
    await startAgain();
    expect(memories()).toEqual(["two"]);
  });

  test("an empty one is none", async () => {
    rmSync(join(side.home, MARK));
    rmSync(side.state, { recursive: true });
    mkdirSync(side.state);
    await startAgain();
    expect(memory()).toBe("one");
    expect(unsaved()).toEqual([]);
  });
});

describe("a restore that was broken off counts as nothing", () => {
  test("with half of the state there", async () => {
    rmSync(join(side.home, ".moltworker"), { recursive: true });
    writeFileSync(join(side.home, RESTORING), "");
    await startAgain();
    expect(memory()).toBe("one");
    expect(readdirSync(side.home).sort()).toEqual(FINISHED);
  });

  test("with all of it there and no mark yet", async () => {
    await worker.backups.claim(2);
    const host = worker.host(2);
    // The last question before the home gets its mark.
    host.importPlan = () => Promise.resolve({ ok: false, reason: "store", message: "no answer" });
    const failing = sandboxSide(host, {}, side.home);
    expect(await failing.backups.restore()).toMatchObject({ outcome: "failed", reason: "store" });
    expect(readdirSync(side.home).sort()).toEqual([RESTORING, ".openclaw"]);
    await startAgain(3);
    expect(memory()).toBe("two");
    expect(readdirSync(side.home).sort()).toEqual(FINISHED);
  });

  test("and one of which only the note stayed, beside a mark, is a whole state", async () => {
    writeFileSync(join(side.home, RESTORING), "");
    await startAgain();
    expect(memory()).toBe("two");
    expect(readdirSync(side.home).sort()).toEqual(FINISHED);
  });

  test("what was left behind before it is still the newest", async () => {
    setAside(side.home, Date.now());
    expect(readdirSync(side.home).sort()).toEqual([".moltworker-left-behind", RESTORING]);
    put(side.state, "workspace/MEMORY.md", "half of");
    await startAgain();
    expect(memory()).toBe("two");
    expect(readdirSync(side.home).sort()).toEqual(FINISHED);
  });
});

describe("what a start could not put away", () => {
  const aside = () => join(side.home, ".moltworker-left-behind");

  test("is not removed when it is whole", async () => {
    put(aside(), ".openclaw/workspace/MEMORY.md", "of the crash before");
    put(aside(), MARK, JSON.stringify({ agentId: "main", generation: 1 }));
    await startAgain();
    expect(memory()).toBe("two");
    expect(memories()).toEqual(["of the crash before"]);
  });

  test("is in nobody's way when it is half removed", async () => {
    put(aside(), ".openclaw/workspace/MEMORY.md", "kept as a generation");
    await startAgain();
    expect(memory()).toBe("two");
    expect(readdirSync(side.home).sort()).toEqual(FINISHED);
  });
});

describe("nothing outside the home is reached through a name that is used in it", () => {
  test.each([RESTORING, ".moltworker-left-behind", ".moltworker-unmarked"])(
    "%s as a link",
    async (name) => {
      const outside = `${side.home}-outside`;
      mkdirSync(outside);
      try {
        writeFileSync(join(outside, "file"), "somebody else's");
        symlinkSync(name === RESTORING ? join(outside, "file") : outside, join(side.home, name));
        rmSync(join(side.home, MARK));
        await startAgain();
        expect(readdirSync(outside)).toEqual(["file"]);
        expect(readFileSync(join(outside, "file"), "utf8")).toBe("somebody else's");
        expect(memories()).toEqual(["two"]);
        expect(existsSync(join(side.home, name))).toBe(false);
      } finally {
        rmSync(outside, { recursive: true });
      }
    },
  );
});
