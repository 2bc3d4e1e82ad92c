import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { processStart, takeLock } from "./lock.ts";
import { keptGatewayToken } from "./secrets.ts";
import { openStateDir } from "./state-dir.ts";

/** No process has this number. */
const DEAD = 2 ** 22 + 1;

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "moltworker-state-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("a fresh folder is made for its owner alone and opens again", async () => {
  const dir = path.join(folder, "a", "b");
  expect(await openStateDir(dir)).toEqual({ ok: true, dir });
  expect((await stat(dir)).mode & 0o777).toBe(0o700);
  expect(await openStateDir(dir)).toEqual({ ok: true, dir });
});

test("a folder of a newer version is refused and left as it was", async () => {
  await writeFile(path.join(folder, "version.json"), '{"version":99}');
  const opened = await openStateDir(folder);
  expect(opened).toHaveProperty("reason", expect.stringContaining("newer moltworker"));
  expect(await readdir(folder)).toEqual(["version.json"]);
  expect(await readFile(path.join(folder, "version.json"), "utf8")).toBe('{"version":99}');
});

test("a damaged version file is refused", async () => {
  await writeFile(path.join(folder, "version.json"), "{");
  expect(await openStateDir(folder)).toHaveProperty("reason", expect.stringContaining("damaged"));
});

test("a folder with other files in it is refused", async () => {
  await writeFile(path.join(folder, "letter.txt"), "dear");
  expect(await openStateDir(folder)).toHaveProperty(
    "reason",
    expect.stringContaining("no state folder"),
  );
  expect(await readdir(folder)).toEqual(["letter.txt"]);
});

test("a path that cannot be a folder is refused", async () => {
  await writeFile(path.join(folder, "file"), "");
  const opened = await openStateDir(path.join(folder, "file", "state"));
  expect(opened).toHaveProperty("reason", expect.stringContaining("--state-dir"));
});

test("the lock goes to one, names the holder to the other, and is free after the release", async () => {
  const first = await takeLock(folder);
  if (!first.ok) throw new Error("not taken");
  await first.lock.publish("http://127.0.0.1:1");
  expect(await takeLock(folder)).toMatchObject({
    ok: false,
    holder: { pid: process.pid, url: "http://127.0.0.1:1" },
  });
  first.lock.release();
  const again = await takeLock(folder);
  expect(again).toMatchObject({ ok: true });
});

test.each([
  ["a process that is gone", { pid: DEAD }],
  ["a process whose number another one has now", { pid: process.pid, startedAt: "1" }],
])("the lock of %s is taken over", async (_name, holder) => {
  await writeFile(path.join(folder, "lock.json"), JSON.stringify(holder));
  expect(await takeLock(folder)).toMatchObject({ ok: true, left: { pid: holder.pid } });
});

test("a lock file that was cut short is taken over", async () => {
  await writeFile(path.join(folder, "lock.json"), "");
  expect(await takeLock(folder)).toMatchObject({ ok: true });
});

test("of many at once exactly one gets the lock", async () => {
  const started = processStart(process.pid);
  expect(started).toBeDefined();
  const all = await Promise.all(Array.from({ length: 20 }, () => takeLock(folder)));
  expect(all.filter((taken) => taken.ok)).toHaveLength(1);
});

/** Takes the lock in a process of its own, and says what it got before it ends. */
const STARTER = `
  const { takeLock } = await import(process.argv[1]);
  const taken = await takeLock(process.argv[2]);
  console.log(JSON.stringify({ ok: taken.ok, left: taken.left?.pid }));
  // Held until the others have looked.
  process.stdin.resume();
`;

async function starter(): Promise<{ said: unknown; child: ChildProcess }> {
  const lock = path.join(import.meta.dirname, "lock.ts");
  const child = spawn(process.execPath, ["--input-type=module", "-e", STARTER, lock, folder], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { said: JSON.parse(line.toString()), child };
}

test("of many at once that find a dead start's lock exactly one gets it, and is told of that start", async () => {
  for (let round = 0; round < 3; round += 1) {
    await writeFile(path.join(folder, "lock.json"), JSON.stringify({ pid: DEAD }));
    const all = await Promise.all(Array.from({ length: 6 }, starter));
    for (const { child } of all) child.kill("SIGKILL");
    expect(all.map(({ said }) => said)).toEqual(
      expect.arrayContaining([
        { ok: true, left: DEAD },
        ...Array.from({ length: 5 }, () => ({ ok: false })),
      ]),
    );
    expect(all.filter(({ said }) => JSON.stringify(said).includes("true"))).toHaveLength(1);
    expect((await readdir(folder)).toSorted()).toEqual(["lock.json", "lock.turn"]);
  }
});

test("while nobody can look, the start says so and leaves nothing behind", async () => {
  const turn = new DatabaseSync(path.join(folder, "lock.turn"));
  turn.exec("BEGIN IMMEDIATE");
  const reason = expect.stringContaining("could not be seen within 5 s: try again");
  expect(await takeLock(folder)).toEqual({ ok: false, reason });
  turn.close();
  expect(await readdir(folder)).toEqual(["lock.turn"]);
}, 30_000);

test("the gateway token is made once, kept, and readable by its owner alone", async () => {
  const token = await keptGatewayToken(folder);
  expect(token).toMatch(/^[0-9a-f]{64}$/);
  expect(await keptGatewayToken(folder)).toBe(token);
  expect((await stat(path.join(folder, "gateway-token"))).mode & 0o777).toBe(0o600);
});
