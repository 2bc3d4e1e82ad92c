import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import { type AgentRig, startAgentRig } from "../support/agent-rig.ts";

let rig: AgentRig;
beforeAll(async () => {
  rig = await startAgentRig();
});
afterEach(() => rig.reset());
afterAll(() => rig.close());

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(new URL(path, rig.url), { headers, redirect: "manual" });
}

async function socket(path = "/ws"): Promise<WebSocket> {
  const url = new URL(path, rig.url);
  url.protocol = "ws:";
  const client = new WebSocket(url);
  await once(client, "open");
  return client;
}

async function echo(client: WebSocket, text: string): Promise<string> {
  const answer = once(client, "message");
  client.send(text);
  const [data] = await answer;
  return String(data);
}

const starts = async (): Promise<number> =>
  (await rig.log()).filter((line) => line === "start").length;
const alerts = async (): Promise<number> =>
  (await rig.status()).events?.filter(({ kind }) => kind === "backup").length ?? 0;
const boots = async (): Promise<string[]> =>
  (await rig.log()).filter((line) => line.startsWith("boot"));

describe("a start", () => {
  it("is shared by a hundred mixed requests on a cold agent", async () => {
    await rig.scenario({ silentMs: 300, gatewayMs: 300 });
    const requests = Array.from({ length: 100 }, async (_, n) => {
      if (n % 10 === 0) {
        const client = await socket();
        const text = await echo(client, `hi ${n}`);
        client.terminate();
        return text === `hi ${n}`;
      }
      if (n % 10 === 1) {
        const page = await get("/chat", { accept: "text/html" });
        return page.status === 503 && (await page.text()).includes('role="status"');
      }
      if (n % 10 === 2) {
        const answer = await fetch(new URL("/upload", rig.url), {
          method: "POST",
          body: "x".repeat(n),
        });
        return (await answer.text()).includes(`"length":${n}`);
      }
      return (await get(`/hello?n=${n}`)).status === 200;
    });
    expect(await Promise.all(requests)).toEqual(Array.from({ length: 100 }, () => true));
    expect(await starts()).toBe(1);
    expect(await boots()).toHaveLength(1);
  });

  it("is followed phase by phase, and each is measured", async () => {
    await rig.scenario({ silentMs: 200, gatewayMs: 300 });
    const events = await get("/_moltworker/events");
    const reading = readEvents(events);
    expect(await rig.call("start")).toEqual({ ok: true });
    const status = await rig.status();
    expect(status.phase).toBe("ready");
    expect(status.timings.map(({ phase }) => phase)).toEqual(["starting", "restoring", "booting"]);
    for (const { ms } of status.timings) expect(ms).toBeGreaterThan(0);
    const phases = await reading;
    expect(phases.filter((phase, n) => phase !== phases[n - 1])).toEqual([
      "stopped",
      "starting",
      "restoring",
      "booting",
      "ready",
    ]);
  });

  it("hands over the same configuration each time and no key of a provider", async () => {
    await rig.call("start");
    await rig.call("restart");
    const [one, two] = (await boots()).map((line) => line.split(" "));
    expect(two?.[2]).toBe(one?.[2]);
    expect(Number(two?.[1])).toBe(Number(one?.[1]) + 1);
  });

  it("binds what leaves the sandbox to the agent and the start", async () => {
    await rig.call("start");
    const { startGeneration } = await rig.status();
    for (const url of [
      "http://ai.moltworker.internal/x",
      "http://example.org/",
      "https://example.org/",
    ]) {
      const answer = z
        .object({ text: z.string() })
        .parse(await (await get(`/fetch?url=${encodeURIComponent(url)}`)).json());
      expect(JSON.parse(answer.text)).toEqual({ url, props: { agentId: "main", startGeneration } });
    }
  });
});

describe("a failed start", () => {
  it("keeps the gateway's own error, answers with it at once, backs off and recovers", async () => {
    await rig.scenario({ gateway: "failed", gatewayError: "exit 78: Invalid key gateway.prot" });
    const first = await get("/hello");
    expect(first.status).toBe(503);
    expect(first.headers.get("retry-after")).toMatch(/^[1-5]$/);
    expect(await first.json()).toMatchObject({
      error: { code: "start_failed", message: "exit 78: Invalid key gateway.prot" },
    });
    const failed = await rig.status();
    expect(failed).toMatchObject({
      phase: "failed",
      lastError: "exit 78: Invalid key gateway.prot",
    });
    expect(failed.retryAt).toBeGreaterThan(Date.now() - 500);
    const page = await get("/chat", { accept: "text/html", "accept-language": "zh-CN" });
    expect(page.status).toBe(503);
    const html = await page.text();
    expect(html).toContain("Invalid key gateway.prot");
    expect(html).toContain("启动失败");
    expect(await starts()).toBe(1);

    await rig.scenario({});
    const ready = await rig.until(({ phase }) => phase === "ready");
    expect(ready.lastError).toBeUndefined();
    expect(await starts()).toBe(2);
  });

  it("is tried again at once when an admin asks", async () => {
    await rig.scenario({ crashAtBoot: 3 });
    expect(await rig.call("start")).toEqual({
      ok: false,
      reason: "The sandbox ended with exit code 3.",
    });
    await rig.scenario({});
    expect(await rig.call("start")).toEqual({ ok: true });
  });

  it("says how a sandbox ended that never answered", async () => {
    await rig.scenario({ crashAtStart: 9 });
    expect(await rig.call("start")).toMatchObject({ ok: false });
    expect((await rig.status()).lastError).toContain("exit code 9");
  });

  it("ends at the deadline when the gateway never becomes ready", async () => {
    await rig.scenario({ gateway: "never" });
    expect(await rig.call("start")).toEqual({
      ok: false,
      reason: "The gateway did not become ready within 6 s.",
    });
    expect((await rig.status()).phase).toBe("failed");
  });

  it("refuses a sandbox of another protocol", async () => {
    await rig.scenario({ protocol: 7 });
    expect(await rig.call("start")).toMatchObject({
      reason: expect.stringContaining("protocol 7"),
    });
  });

  it("is called off by a stop", async () => {
    await rig.scenario({ silentMs: 5_000 });
    const start = rig.call("start");
    await expect.poll(starts, { timeout: 10_000 }).toBe(1);
    expect((await rig.status()).phase).toBe("starting");
    expect(await rig.call("stop")).toEqual({ ok: true });
    expect(await start).toMatchObject({ ok: false });
    expect((await rig.status()).phase).toBe("stopped");
    await expect(rig.kill()).rejects.toThrow("no sandbox runs");
  });
});

describe("a sandbox that is killed", () => {
  it("is replaced by itself, and the status says what happened", async () => {
    await rig.call("start");
    const { startGeneration } = await rig.status();
    await rig.kill();
    const status = await rig.until(
      (now) => now.phase === "ready" && now.startGeneration === startGeneration + 1,
    );
    expect(status.events?.find(({ kind }) => kind === "sandbox-exit")?.text).toBe(
      "The sandbox ended with exit code 137 (SIGKILL).",
    );
    expect(await starts()).toBe(2);
  });

  it("costs the next request an ordinary start and nothing else", async () => {
    await rig.call("start");
    await rig.kill();
    expect((await get("/hello")).status).toBe(200);
    expect(await starts()).toBe(2);
  });
});

describe("a restart of the Durable Object", () => {
  it("takes over the live sandbox", async () => {
    await rig.call("start");
    const before = await rig.status();
    await expect(rig.call("evict")).rejects.toThrow("evicted");
    expect((await get("/hello")).status).toBe(200);
    const after = await rig.status();
    expect(after.startGeneration).toBe(before.startGeneration);
    expect(after.events?.[0]).toMatchObject({ kind: "adopted" });
    expect(await starts()).toBe(1);
    // The interceptors are the Durable Object's and have to be there again.
    const answer = await get("/fetch?url=http://ai.moltworker.internal/");
    expect(await answer.text()).toContain("startGeneration");
  });

  it("takes over one that answers late: with it would go what no backup holds yet", async () => {
    await rig.call("start");
    const before = await rig.status();
    rig.freeze(true);
    try {
      expect(rig.killWorkerd()).toBe(1);
      await rig.up();
      // Longer than one question waits, shorter than all of them together.
      await pause(4_000);
    } finally {
      rig.freeze(false);
    }
    const after = await rig.until(({ events }) => events?.[0]?.kind === "adopted");
    expect(after.startGeneration).toBe(before.startGeneration);
    expect(await starts()).toBe(1);
  });

  it("follows on a start whose gateway was still booting", async () => {
    await rig.scenario({ gatewayMs: 3_000 });
    const start = rig.call("start");
    await rig.until(({ phase }) => phase === "booting");
    await Promise.all([
      expect(rig.call("evict")).rejects.toThrow("evicted"),
      expect(start).rejects.toThrow("evicted"),
    ]);
    await rig.until(({ phase }) => phase === "ready");
    expect(await starts()).toBe(1);
  });

  it("starts anew what was not booted yet", async () => {
    await rig.scenario({ bootMs: 20_000 });
    const start = rig.call("start");
    await rig.until(({ phase }) => phase === "restoring");
    await rig.scenario({});
    await Promise.all([
      expect(rig.call("evict")).rejects.toThrow("evicted"),
      expect(start).rejects.toThrow("evicted"),
    ]);
    const status = await rig.until(({ phase }) => phase === "ready");
    expect(status.events?.some(({ text }) => text.includes("restart of the Worker"))).toBe(true);
    expect(await boots()).toHaveLength(1);
  });
});

describe("sleep", () => {
  it("comes after the time without activity, drains first, and a request wakes", async () => {
    await rig.call("start");
    await rig.call("setSleepAfter", 600);
    await rig.until(({ phase }) => phase === "stopped");
    expect((await rig.log()).at(-1)).toBe("stopped");
    expect((await get("/hello")).status).toBe(200);
  });

  it("is switched on and off on a live agent", async () => {
    await rig.call("start");
    expect((await rig.status()).sleepAfter).toBe("never");
    await pause(900);
    expect((await rig.status()).phase).toBe("ready");
    await rig.call("setSleepAfter", 300);
    await rig.until(({ phase }) => phase === "stopped");
  });

  it("does not come while the agent works or a client is connected", async () => {
    await rig.scenario({ connections: 1 });
    await rig.call("setSleepAfter", 300);
    await rig.call("start");
    await pause(1_200);
    expect((await rig.status()).phase).toBe("ready");
  });

  it.each(["busy", "not-kept"] as const)("does not come while the state is %s", async (awake) => {
    const before = await alerts();
    await rig.scenario({ awake });
    await rig.call("start");
    await rig.call("setSleepAfter", 100);
    await eventually(async () => (await rig.log()).filter((line) => line === "suspend").length > 1);
    const status = await rig.status();
    expect(status.phase).toBe("ready");
    expect(await rig.log()).not.toContain("stop");
    const raised = "It stays awake: the last backup failed: the bucket does not answer";
    expect(status.backups?.alert?.text).toBe(awake === "busy" ? undefined : raised);
    expect(await alerts()).toBe(awake === "busy" ? before : before + 1);
    await rig.scenario({});
    await rig.call("restart");
    await rig.until(({ phase }) => phase === "stopped");
    expect((await rig.status()).backups?.alert).toBeUndefined();
  });

  it("is not kept off by a page that only follows the status", async () => {
    await rig.call("start");
    const page = await get("/_moltworker/events");
    await rig.call("setSleepAfter", 300);
    const status = await rig.until(({ phase }) => phase === "stopped");
    expect(status.sleepAfter).toBe(300);
    await page.body?.cancel();
  });
});

describe("backups that cannot be read", () => {
  it("fail the start with the reason, boot no gateway, and let a later start work", async () => {
    const key = "agents/main/backups/manifest.json";
    await rig.call("start");
    await rig.call("stop");
    const sound = await rig.object(key);
    await rig.setObject(key, sound.slice(0, -9));
    const booted = (await boots()).length;
    const reason = /^The backups cannot be read: .*manifest\.json is not a manifest/;
    expect(await rig.call("start")).toEqual({ ok: false, reason: expect.stringMatching(reason) });
    const status = await rig.status();
    expect(status).toMatchObject({ phase: "failed", lastError: expect.stringMatching(reason) });
    expect(status.retryAt).toBeGreaterThan(0);
    expect(await boots()).toHaveLength(booted);
    const page = await get("/", { accept: "text/html", "sec-fetch-mode": "navigate" });
    expect(await page.text()).toContain("The backups cannot be read");
    await rig.setObject(key, sound);
    expect((await rig.until(({ phase }) => phase === "ready")).lastError).toBeUndefined();
  });
});

describe("the schedule of the Worker", () => {
  const MANIFEST = "agents/main/backups/manifest.json";
  const DAY = 86_400_000;

  it("wakes nothing that sleeps", async () => {
    await rig.schedule();
    expect((await rig.status()).phase).toBe("stopped");
    expect(await starts()).toBe(0);
  });

  it("raises an alert for a state that changed long ago and is not kept", async () => {
    await rig.scenario({ unkeptFor: 600_000 });
    await rig.call("start");
    await rig.schedule();
    expect((await rig.status()).backups?.alert?.text).toMatch(/^The state changed 10 minutes ago/);
    await rig.scenario({});
    await rig.call("restart");
    await rig.schedule();
    expect((await rig.status()).backups?.alert).toBeUndefined();
  });

  it("deletes what the policy no longer keeps, and has the drill of the day made", async () => {
    await rig.call("start");
    await rig.call("stop");
    await edit((manifest) => {
      const old = Date.now() - 800 * DAY;
      return { ...manifest, recent: [1, 2, 3, 4].map((n) => entry(n, n === 1 ? old : Date.now())) };
    });
    await rig.call("start");
    const { startGeneration } = await rig.status();
    const caller = { startGeneration, token: await rig.controlToken() };
    const outcome = { outcome: "restored", generation: 4 };
    expect(await rig.call("backup", caller, { call: "outcome", outcome })).toMatchObject({
      ok: true,
    });
    await rig.schedule();
    const numbers = (await read()).recent.map(({ n }) => n);
    expect(numbers).toEqual([2, 3, 4]);
    expect(await drills()).toEqual([]);

    // A day later, and a generation further.
    await rig.call("ageBackups");
    await edit((manifest) => ({ ...manifest, recent: [...manifest.recent, entry(5, Date.now())] }));
    await expect(rig.call("evict")).rejects.toThrow("evicted");
    // Until the sandbox that it takes over has said how its backups are, there is none to ask.
    await eventually(async () => {
      await rig.schedule();
      return (await drills()).length > 0;
    });
    expect(await drills()).toEqual(["drill 5"]);
  });

  type Manifest = { recent: { n: number }[] };
  const read = async (): Promise<Manifest> => JSON.parse(await rig.object(MANIFEST));
  const edit = async (change: (manifest: Manifest) => Manifest): Promise<void> =>
    rig.setObject(MANIFEST, JSON.stringify(change(await read())));
  const drills = async (): Promise<string[]> =>
    (await rig.log()).filter((line) => line.startsWith("drill"));

  function entry(n: number, at: number) {
    const pack = `${n}.0`;
    return {
      ...{ n, parent: n - 1, at, start: 1, reason: "change", packs: [], needs: [pack] },
      list: { pack, sha256: "0".repeat(64) },
      ...{ files: 1, bytes: 1, changes: { changed: 1, removed: 0, bytes: 1, paths: [] } },
    };
  }
});

describe("the look after it every few minutes", () => {
  it("raises an alert once for a state that is not kept for long, until it is", async () => {
    const before = await alerts();
    await rig.scenario({ unkeptFor: 600_000 });
    await rig.call("start");
    await rig.call("lookAfter");
    await rig.call("lookAfter");
    const { backups } = await rig.status();
    expect(backups?.alert?.text).toBe("The state changed 10 minutes ago and is not kept yet.");
    expect(await alerts()).toBe(before + 1);
    await rig.scenario({});
    await rig.call("restart");
    await rig.call("lookAfter");
    expect((await rig.status()).backups?.alert).toBeUndefined();
  });
});

async function eventually(done: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_200; tries += 1) {
    if (await done()) return;
    await pause(50);
  }
  throw new Error("it never came");
}

async function readEvents(response: Response): Promise<string[]> {
  const phases: string[] = [];
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines.filter((each) => each.startsWith("data: "))) {
      phases.push(JSON.parse(line.slice(6)).phase);
    }
    if (phases.at(-1) === "ready") break;
  }
  return phases;
}
