/** Backups of the whole system as `npm start` runs it, through the admin API. */
import { execFileSync } from "node:child_process";
import { chown, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { killDescendants } from "../support/process-tree.ts";
import {
  makeStateDir,
  removeStateDir,
  startSystem,
  type RunningSystem,
} from "../support/running-system.ts";

const list = z.object({
  encrypted: z.boolean(),
  generations: z.array(
    z.looseObject({
      ...{ generation: z.number(), reason: z.string(), encrypted: z.boolean() },
      ...{ at: z.number(), files: z.number() },
    }),
  ),
});

/** Two cores that others use as well. */
const READY_MS = 220_000;

let stateDir: string;
let system: RunningSystem;
let readySince: number;

beforeAll(async () => {
  stateDir = await makeStateDir();
  system = await startSystem({ stateDir });
  const { since } = await system.reach("ready", READY_MS);
  readySince = z.number().parse(since);
}, 240_000);

afterAll(async () => {
  await system?.stop();
  if (stateDir !== undefined) await removeStateDir(stateDir);
});

const sandboxFolder = () => path.join(stateDir, "sandbox");
const inWorkspace = (name: string) =>
  path.join(sandboxFolder(), "main", "home", ".openclaw", "workspace", name);

async function note(name: string, text: string): Promise<void> {
  const file = inWorkspace(name);
  const { uid, gid } = await stat(path.join(sandboxFolder(), "main", "home", ".openclaw"));
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
  // As if the agent had written it.
  for (const one of [path.dirname(file), file]) await chown(one, uid, gid);
}

async function generations() {
  return list.parse(await system.admin("/api/backups")).generations;
}

/** True when nothing was committed for as long as a change would take. */
async function pause(): Promise<true | undefined> {
  const newest = async () => (await generations())[0]?.generation;
  const before = await newest();
  await sleep(3_000);
  return (await newest()) === before ? true : undefined;
}

/** The answer may come before the start has begun. */
async function startedAnewBy(change: () => Promise<unknown>): Promise<void> {
  const start = async () => (await system.status()).startGeneration;
  const before = await start();
  await change();
  await until("the next start", async () => ((await start()) > before ? true : undefined));
  await system.reach("ready", READY_MS);
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 1_200; tries += 1) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(100);
  }
  throw new Error(`it never came: ${what}; ${JSON.stringify(await system.status())}`);
}

describe("backups of the running system", { timeout: 240_000 }, () => {
  test("the first pass waits for the gateway and keeps what it wrote while it started", async () => {
    const first = await until("first", async () => (await generations()).at(-1));
    expect(first.at).toBeGreaterThanOrEqual(readySince);
    expect(first.files).toBeGreaterThan(0);
  });

  test("a gateway that nobody asks anything writes nothing, through its heartbeats", async () => {
    const quiet = async () => {
      const newest = async () => (await generations())[0]?.generation;
      const before = await newest();
      await sleep(35_000);
      return (await newest()) === before ? true : undefined;
    };
    // What it does in its first minutes may come to an end first.
    expect(await until("a quiet time", quiet)).toBe(true);
  });

  test("a change is a generation of its own, encrypted, without being asked for", async () => {
    const before = await until("first", async () => (await generations())[0]);
    await note("MEMORY.md", "the first thing to remember");
    const after = await until("change", async () =>
      (await generations()).find((one) => one.generation > before.generation),
    );
    expect(after).toMatchObject({ reason: "change", encrypted: true });
  });

  test("after a SIGKILL of the sandbox the next one has what was written a moment before", async () => {
    const before = (await system.status()).startGeneration;
    // A commit that lands in the very moment of the kill would be newer than what the disk says.
    await until("a pause", pause);
    await note("KILLED.md", "written just before");
    const killed = killDescendants(system.process.pid ?? 0, ({ command }) =>
      command.includes("supervisor.mjs"),
    );
    expect(killed).toBeGreaterThan(0);
    await until("the next start", async () =>
      (await system.status()).startGeneration > before ? true : undefined,
    );
    await system.reach("ready", READY_MS);
    expect(await readFile(inWorkspace("KILLED.md"), "utf8")).toBe("written just before");
  });

  test("a backup now answers with its generation", async () => {
    await note("NOW.md", "now");
    const reply = z
      .object({ ok: z.literal(true), generation: z.number() })
      .parse(await system.admin("/api/backups", { body: {} }));
    expect((await generations())[0]?.generation).toBeGreaterThanOrEqual(reply.generation);
  });

  test("a generation can be verified by a restore into a scratch place", async () => {
    expect(await system.admin("/api/backups/verify", { body: {} })).toMatchObject({ ok: true });
    expect((await generations()).some((one) => one["verifiedAt"] !== undefined)).toBe(true);
  });

  test("all of them can be verified, and each says since when", async () => {
    const before = Date.now();
    const body = { generation: "all" };
    expect(await system.admin("/api/backups/verify", { body })).toMatchObject({ ok: true });
    const looked = async () =>
      (await generations()).filter((one) => Number(one["verifiedAt"]) >= before).length;
    // It may take longer than the answer.
    const all = (await generations()).filter(({ at }) => at < before).length;
    await until("the last of them", async () => ((await looked()) >= all ? true : undefined));
    expect((await generations()).filter((one) => one["damaged"] !== undefined)).toEqual([]);
  });

  test("a generation can be downloaded, and the recovery kit once", async () => {
    const newest = (await generations())[0]?.generation ?? 0;
    const { status, bytes } = await send("GET", `/api/backups/${newest}/archive`);
    expect(status).toBe(200);
    const folder = path.join(stateDir, "downloaded");
    await mkdir(folder);
    await writeFile(path.join(folder, "a.tar.gz"), bytes);
    execFileSync("tar", ["-xzf", "a.tar.gz"], { cwd: folder });
    const memory = path.join(folder, ".openclaw/workspace/MEMORY.md");
    expect(await readFile(memory, "utf8")).toBe("the first thing to remember");
    await stat(path.join(folder, ".openclaw/state/openclaw.sqlite"));

    const kit = z
      .object({ text: z.string() })
      .parse(await system.admin("/api/backups/recovery-kit", { body: {} }));
    expect(kit.text).toContain("AGE-SECRET-KEY-1");
    await expect(system.admin("/api/backups/recovery-kit", { body: {} })).rejects.toThrow(/409/);
  });

  test("an archive of a self-hosted install is uploaded, looked at and taken in", async () => {
    const folder = path.join(stateDir, "downloaded");
    await writeFile(path.join(folder, ".openclaw/workspace/MEMORY.md"), "from elsewhere");
    await writeFile(path.join(folder, ".openclaw/.env"), "KEY=planted");
    execFileSync("tar", ["-czf", "moltbot-backup.tar.gz", ".openclaw"], { cwd: folder });
    const bytes = await readFile(path.join(folder, "moltbot-backup.tar.gz"));
    const { id } = z.looseObject({ id: z.string() }).parse(
      await system.admin("/api/backups/imports", {
        body: { name: "moltbot-backup.tar.gz", bytes: bytes.length },
      }),
    );
    const sent = await send("PUT", `/api/backups/imports/${id}/parts/0`, bytes);
    expect(sent.status).toBe(200);
    const survey = await system.admin(`/api/backups/imports/${id}/survey`, { body: {} });
    expect(survey).toMatchObject({
      ok: true,
      report: { root: ".openclaw", secrets: [{ path: ".openclaw/.env", kind: "environment" }] },
    });
    const before = (await generations())[0]?.generation ?? 0;
    await startedAnewBy(() => system.admin(`/api/backups/imports/${id}/apply`, { body: {} }));
    expect(await readFile(inWorkspace("MEMORY.md"), "utf8")).toBe("from elsewhere");
    const after = (await generations()).filter(({ generation }) => generation > before);
    expect(after.map(({ reason }) => reason)).toContain("import");
  });

  test("a restore to a point brings the old content back and keeps the newer one", async () => {
    const all = await generations();
    const imported = all.find(({ reason }) => reason === "import")?.generation ?? 0;
    const point = all.find(({ generation }) => generation < imported)?.generation ?? 0;
    await startedAnewBy(() =>
      system.admin("/api/backups/restore", { body: { generation: point } }),
    );
    expect(await readFile(inWorkspace("MEMORY.md"), "utf8")).toBe("the first thing to remember");
    expect((await generations()).some((one) => one["of"] !== undefined)).toBe(true);
  });

  test("starting afresh wants to be typed; what was stays a generation", async () => {
    await expect(system.admin("/api/backups/afresh", { body: { confirm: "yes" } })).rejects.toThrow(
      /400/,
    );
    // Stopped, so that it does not start again just to be empty: a start of its own shows that.
    await system.admin("/api/agent/stop", { body: {} });
    await system.reach("stopped");
    await system.admin("/api/backups/afresh", { body: { confirm: "start afresh" } });
    const [newest, before] = await generations();
    expect(newest?.reason).toBe("afresh");
    // The gateway's last words are in the last backup, or in the one before when that came in time.
    expect(["final", "change"]).toContain(before?.reason);
  });
});

async function send(method: string, pathname: string, body?: Buffer) {
  const response = await fetch(new URL(pathname, system.adminUrl), {
    method,
    headers: { Cookie: system.adminCookie, Origin: system.adminUrl },
    ...(body === undefined ? {} : { body }),
  });
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
}
