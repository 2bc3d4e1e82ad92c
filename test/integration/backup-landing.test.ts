/** A kill in the moment in which a commit lands, on a disk that is still there for the next sandbox. */
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { generateX25519Identity } from "age-encryption";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { HostClient } from "../../src/supervisor/backups/host-client.ts";
import { memoryBucket } from "../support/backup-bucket.ts";
import { killGroup, spawnSandbox, untilReady } from "../support/backup-kills.ts";
import { workerSide, type WorkerSide } from "../support/backup-rig.ts";
import { startSandboxSide } from "../support/backup-sandbox-side.ts";
import { serveBackups } from "../support/backup-server.ts";
import { put } from "../support/backup-state.ts";

let worker: WorkerSide;
let home: string;
beforeEach(async () => {
  worker = await workerSide(memoryBucket(), { identities: [await generateX25519Identity()] });
  home = mkdtempSync(join(tmpdir(), "backup-landing-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

async function reasons(): Promise<string[]> {
  const listed = await worker.backups.list();
  return listed.ok ? listed.value.map((one) => one.reason) : [];
}

test("what was written between the last look and the kill is the next sandbox's", async () => {
  const memory = join(home, ".openclaw/workspace/MEMORY.md");
  let ready = false;
  const killed = Promise.withResolvers<string>();
  const server = await serveBackups(
    worker,
    () => 1,
    async ({ method, path, status }) => {
      if (!ready || method !== "POST" || !path.startsWith("/v1/generations/")) return;
      expect(status).toBe(200);
      // It is in. The agent writes on, and dies before anybody hears of it.
      const { size } = statSync(memory);
      while (statSync(memory).size === size) await sleep(5);
      killGroup(child);
      killed.resolve(readFileSync(memory, "utf8"));
      await new Promise(() => undefined);
    },
  );
  await worker.backups.claim(1);
  const child = spawnSandbox(home, server.origin, worker.keys?.recipient ?? "", 1);
  const gone = once(child, "exit");
  try {
    await untilReady(child);
    ready = true;
    const written = await killed.promise;
    await gone;
    const again = await startSandboxSide(worker, 2, { home });
    again.backups.close();
    expect(readFileSync(memory, "utf8")).toBe(written);
    expect((await reasons())[0]).toBe("recovery");
  } finally {
    killGroup(child);
    server.close();
  }
});

/** A way to the Worker over which commits arrive, and of whose answers none comes back. */
function unanswered(host: HostClient, lands: (generation: number) => boolean): HostClient {
  return new Proxy(host, {
    get(target, name) {
      if (name === "commit") {
        const commit: HostClient["commit"] = async (generation, request) => {
          if (lands(generation)) await target.commit(generation, request);
          return { ok: false, reason: "store", message: "no answer came" };
        };
        return commit;
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

test.each([
  ["the first of two commits without an answer", 2],
  ["the second", 3],
])("it is kept on top of %s", async (_, landing) => {
  const reach = (n: number) =>
    n === 1
      ? unanswered(worker.host(n), (generation) => generation === 1 || generation === landing)
      : worker.host(n);
  const side = await startSandboxSide(worker, 1, { home, reach });
  for (const text of ["one", "two", "three"]) {
    put(side.state, "workspace/a", text);
    await side.backups.commit("change");
  }
  put(side.state, "workspace/a", "written last");
  side.backups.close();
  const again = await startSandboxSide(worker, 2, { home });
  expect(readFileSync(join(again.state, "workspace/a"), "utf8")).toBe("written last");
  expect((await reasons())[0]).toBe("recovery");
  again.backups.close();
});

test("a commit without an answer fences nobody when it cannot be looked up at once either", async () => {
  let hiccup = false;
  const reach = (n: number) =>
    new Proxy(
      unanswered(worker.host(n), () => true),
      {
        get(target, name) {
          if (name === "plan" && hiccup) {
            hiccup = false;
            return async () => ({ ok: false, reason: "store", message: "the line is down" });
          }
          if (name === "commit" && answering) return worker.host(n).commit.bind(worker.host(n));
          const value: unknown = Reflect.get(target, name);
          return typeof value === "function" ? value.bind(target) : value;
        },
      },
    );
  let answering = false;
  const side = await startSandboxSide(worker, 1, { home, reach });
  put(side.state, "workspace/a", "one");
  expect(await side.backups.commit("change")).toMatchObject({ ok: false, reason: "store" });
  [answering, hiccup] = [true, true];
  put(side.state, "workspace/a", "two");
  const failed = await side.backups.commit("change");
  expect(failed).toMatchObject({ ok: false, message: expect.stringMatching(/the line is down/) });
  expect(side.backups.status().state).toBe("watching");
  expect(await side.backups.commit("change")).toMatchObject({ ok: true, made: true });
  side.lose();
  const again = await startSandboxSide(worker, 2);
  expect(readFileSync(join(again.state, "workspace/a"), "utf8")).toBe("two");
  again.lose();
});

test("where another sandbox kept something since, what never landed is dropped", async () => {
  const side = await startSandboxSide(worker, 1, {
    home,
    reach: (n) => unanswered(worker.host(n), () => false),
  });
  put(side.state, "workspace/a", "never kept");
  await side.backups.commit("change");
  side.backups.close();
  const elsewhere = await startSandboxSide(worker, 2);
  put(elsewhere.state, "workspace/a", "kept elsewhere");
  await elsewhere.backups.commit("change");
  elsewhere.lose();
  const again = await startSandboxSide(worker, 3, { home });
  expect(readFileSync(join(again.state, "workspace/a"), "utf8")).toBe("kept elsewhere");
  again.backups.close();
});
