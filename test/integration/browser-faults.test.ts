/** What goes wrong with a browser: a clear error, other sessions unharmed, nothing left behind. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import * as z from "zod";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { browserProcesses } from "../support/browser-processes.ts";
import { SECRET_HEADERS, startBrowserRig, type BrowserRig } from "../support/browser-rig.ts";
import { html, startSite, type Site } from "../support/browser-site.ts";
import { connectCdp, mustConnectCdp, type CdpSocket } from "../support/cdp-socket.ts";
import { isAlive } from "../support/process-tree.ts";

/** A busy machine takes its time. */
const patient = { timeout: 30_000 };

let rig: BrowserRig;
let site: Site;

beforeAll(async () => {
  site = await startSite({
    "/tabs": (_request, response) =>
      html(
        response,
        `<title>Tabs</title><script>for (let n = 0; n < 1000; n += 1) window.open("about:blank#" + n);document.title = "opened"</script>`,
      ),
  });
  rig = await startBrowserRig({ private: [`127.0.0.1:${site.port}`] });
});
afterAll(async () => {
  await rig?.close();
  await site?.close();
});
afterEach(async () => {
  for (const { id } of rig.sessions.list()) await rig.release(id);
});

const refusal = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
const version = z.object({ webSocketDebuggerUrl: z.string() });
const opened = z.object({ webSocketDebuggerUrl: z.string() });

interface Session {
  id: string;
  socketUrl: string;
}

const ask = (call: string, init: RequestInit = {}, at = rig) =>
  fetch(`${at.outside}/cdp${call}`, { headers: SECRET_HEADERS, ...init });

async function session(which: string, at = rig): Promise<Session> {
  const reply = await ask(`/json/version${which === "" ? "" : `?session=${which}`}`, {}, at);
  const text = await reply.text();
  if (!reply.ok) throw new Error(`${reply.status}: ${text}`);
  const { webSocketDebuggerUrl: socketUrl } = version.parse(JSON.parse(text));
  return { id: socketUrl.slice(-36), socketUrl };
}

async function refused(call: string, at = rig) {
  const reply = await ask(call, {}, at);
  const { error } = refusal.parse(await reply.json());
  return { status: reply.status, retryAfter: reply.headers.get("retry-after"), ...error };
}

const connect = ({ socketUrl }: Session): Promise<CdpSocket> =>
  mustConnectCdp(socketUrl, SECRET_HEADERS);

async function works(cdp: CdpSocket): Promise<void> {
  expect(await cdp.send("Browser.getVersion")).toMatchObject({
    product: expect.stringMatching(/Chrome/),
  });
}

const folderOf = ({ id }: Session) => path.join(rig.stateDir, "browser", "sessions", id);

describe("a Chromium that is killed", () => {
  test("ends its own session with a clear error; another goes on, and a new one is had at once", async () => {
    const first = await session("");
    const before = browserProcesses().map(({ pid }) => pid);
    const other = await session("new");
    const socket = await connect(first);
    const survivor = await connect(other);
    expect(browserProcesses().length).toBe(before.length + 1);
    expect(existsSync(folderOf(first))).toBe(true);

    for (const pid of before) process.kill(pid, "SIGKILL");
    await socket.closed;
    expect(await refused(`/json/version?session=${first.id}`)).toMatchObject({
      status: 410,
      message: expect.stringContaining("/json/version"),
    });
    expect(await connectCdp(first.socketUrl, SECRET_HEADERS)).toMatchObject({
      ok: false,
      status: 410,
    });
    await works(survivor);
    const next = await session("");
    expect(next.id).not.toBe(first.id);
    await expect.poll(() => existsSync(folderOf(first)), patient).toBe(false);
    expect((await rig.overview()).sessions.map(({ id }) => id)).not.toContain(first.id);
    survivor.close();
  });

  test("page's address included", async () => {
    const { id } = await session("");
    const reply = await ask("/json/new", { method: "PUT" });
    const { webSocketDebuggerUrl } = opened.parse(await reply.json());
    const page = await mustConnectCdp(webSocketDebuggerUrl, SECRET_HEADERS);
    for (const { pid } of browserProcesses()) process.kill(pid, "SIGKILL");
    await page.closed;
    expect(await connectCdp(webSocketDebuggerUrl, SECRET_HEADERS)).toMatchObject({
      ok: false,
      status: 404,
      body: expect.stringContaining("no_such_page"),
    });
    expect((await session("")).id).not.toBe(id);
  });
});

describe("a session that has ended", () => {
  test("cuts its sockets, is told to whoever comes back, and leaves no process and no folder", async () => {
    const gone = await session("");
    const socket = await connect(gone);
    const processes = browserProcesses();
    await rig.release(gone.id);
    await socket.closed;
    await expect.poll(() => processes.filter(({ pid }) => isAlive(pid)), patient).toEqual([]);
    expect(existsSync(folderOf(gone))).toBe(false);
    expect(await refused(`/json/list?session=${gone.id}`)).toMatchObject({ status: 410 });
    expect(await connectCdp(gone.socketUrl, SECRET_HEADERS)).toMatchObject({
      ok: false,
      status: 410,
      body: expect.stringContaining("browser_expired"),
    });
  });

  test("is the agent's when the agent stops, and nobody else's", async () => {
    const outside = await session("");
    const told = await fetch(`${rig.inside}/json/version`);
    const { webSocketDebuggerUrl } = version.parse(await told.json());
    const inside = await mustConnectCdp(webSocketDebuggerUrl);
    expect(webSocketDebuggerUrl).not.toContain(outside.id);
    await rig.agentStopped();
    await inside.closed;
    expect(rig.sessions.list().map(({ id }) => id)).toEqual([outside.id]);
  });

  test("cannot be had from a start of the agent that is over", async () => {
    const headers = { "X-Test-Generation": "2" };
    const reply = await fetch(`${rig.inside}/json/version`, { headers });
    expect(reply.status).toBe(403);
    expect(refusal.parse(await reply.json()).error.code).toBe("browser_stale");
    // Nor may the agent use a session of a program outside.
    const outside = await session("");
    const other = await fetch(`${rig.inside}/json/version?session=${outside.id}`);
    expect(other.status).toBe(410);
  });
});

describe("limits", () => {
  test("a fifth session of one agent is refused in words, and the four go on", async () => {
    const four = [];
    for (let n = 0; n < 4; n += 1) four.push(await connect(await session("new")));
    expect(await refused("/json/version?session=new")).toMatchObject({
      status: 429,
      code: "browser_limit",
      message: expect.stringContaining("4 browser sessions"),
    });
    await Promise.all(four.map(works));
    for (const one of four) one.close();
  });

  test("a full service is waited for until the deadline, then told with when to come back", async () => {
    const full = await startBrowserRig({ most: 1, waitMs: 8_000 });
    try {
      const only = await session("", full);
      expect(await refused("/json/version?session=new", full)).toMatchObject({
        status: 429,
        code: "browser_limit",
        retryAfter: "5",
        message: expect.stringContaining("1 browsers at most"),
      });
      const waiting = session("new", full);
      await full.release(only.id);
      expect((await waiting).id).not.toBe(only.id);
    } finally {
      await full.close();
    }
  });

  test("a session nobody uses ends, one that is used goes on, and none lasts more than two hours", async () => {
    const idle = await session("new");
    const used = await session("new");
    const socket = await connect(used);
    await rig.later(11 * 60_000);
    await expect
      .poll(() => rig.sessions.list().map(({ id }) => id), patient)
      .not.toContain(idle.id);
    await works(socket);
    await rig.later(110 * 60_000);
    await socket.closed;
    expect(rig.sessions.list()).toEqual([]);
  });

  test("the day's time ends every session and opens none until midnight", async () => {
    const capped = await startBrowserRig({ settings: { BROWSER_DAY_CAP: "30m" } });
    try {
      // Far from midnight, whatever time it is.
      await capped.later(86_400_000 - (Date.now() % 86_400_000) + 3_600_000);
      const socket = await connect(await session("", capped));
      await capped.later(31 * 60_000);
      await socket.closed;
      const answer = await refused("/json/version", capped);
      expect(answer).toMatchObject({ status: 429, code: "browser_cap" });
      expect(answer.message).toContain("BROWSER_DAY_CAP");
      expect(Number(answer.retryAfter)).toBeGreaterThan(20 * 3_600);
      const told = await capped.overview();
      expect(told.usedTodayMs).toBeGreaterThanOrEqual(30 * 60_000);
      expect(told.dayCapMs).toBe(30 * 60_000);
      expect(capped.sessions.list()).toEqual([]);
      await capped.later(86_400_000);
      await session("", capped);
    } finally {
      await capped.close();
    }
  });
});

describe("hostile clients and pages", () => {
  test("a client that reads nothing loses nothing and holds nobody up", async () => {
    const slow = await connect(await session("new"));
    const other = await connect(await session("new"));
    const { targetId } = z
      .object({ targetId: z.string() })
      .parse(await slow.send("Target.createTarget", { url: "about:blank" }));
    const url = slow.socket.url.replace(/browser\/.*$/, `page/${targetId}`);
    const page = await mustConnectCdp(url, SECRET_HEADERS);
    page.socket.pause();
    const size = 20 * 1024 * 1024;
    const before = process.memoryUsage().rss;
    const large = Array.from({ length: 8 }, () =>
      page.send("Runtime.evaluate", { expression: `"x".repeat(${size})`, returnByValue: true }),
    );
    for (let n = 0; n < 50; n += 1) await works(other);
    // What nobody reads waits in the browser, not in the processes between.
    expect(process.memoryUsage().rss - before).toBeLessThan(4 * size);
    page.socket.resume();
    const results = z
      .array(z.object({ result: z.object({ value: z.string() }) }))
      .parse(await Promise.all(large));
    expect(results.map(({ result }) => result.value.length)).toEqual(large.map(() => size));
    for (const one of [slow, other, page]) one.close();
  });

  test("malformed frames end the connection they came on and no other", async () => {
    const one = await session("");
    const sound = await connect(one);
    const frames: Record<string, Buffer> = {
      unmasked: Buffer.from([0x81, 0x02, 0x68, 0x69]),
      "reserved opcode": Buffer.from([0x83, 0x80, 1, 2, 3, 4]),
      "reserved bits": Buffer.from([0xf1, 0x80, 1, 2, 3, 4]),
      "length beyond everything": Buffer.from([0x82, 0xff, ...Buffer.alloc(8, 0x7f), 1, 2, 3, 4]),
      "half a frame": Buffer.from([0x81, 0xfe]),
      "a fragmented ping": Buffer.from([0x09, 0x80, 1, 2, 3, 4]),
      noise: randomBytes(4096),
    };
    for (const bytes of Object.values(frames)) {
      const raw = await upgradedSocket(one.socketUrl);
      raw.end(bytes);
      await new Promise((resolve) => raw.once("close", resolve).resume());
      await works(sound);
    }
    // What is a frame and no command is answered by the browser itself.
    const talker = await connect(one);
    const heard: string[] = [];
    talker.socket.on("message", (data) => heard.push(String(data)));
    talker.socket.send("this is no command");
    talker.socket.send('{"id":"x","method":7}');
    await expect.poll(() => heard.length, patient).toBeGreaterThan(0);
    await works(sound);
    sound.close();
    talker.close();
  });

  test("a page that opens a thousand others is bounded in what it costs everybody else", async () => {
    const hostile = await session("new");
    const other = await connect(await session("new"));
    const reply = await ask(
      `/json/new?url=${encodeURIComponent(`${site.origin}/tabs`)}&session=${hostile.id}`,
      { method: "PUT" },
    );
    expect(reply.status).toBe(200);
    await expect.poll(() => site.asked, { timeout: 60_000 }).toContain("/tabs");
    await expect
      .poll(
        async () => {
          const { sessions } = await rig.overview();
          return sessions.find(({ id }) => id === hostile.id)?.pageCount ?? 0;
        },
        { timeout: 60_000 },
      )
      .toBeGreaterThan(200);
    await works(other);
    const told = (await rig.overview()).sessions.find(({ id }) => id === hostile.id);
    expect(told?.pages.length).toBeLessThanOrEqual(50);
    await rig.release(hostile.id);
    await works(other);
    await expect.poll(() => existsSync(folderOf(hostile)), patient).toBe(false);
    other.close();
  });
});

test("nothing is left when everything is closed, sockets and starts under way included", async () => {
  const leaving = await startBrowserRig();
  const known = new Set(browserProcesses().map(({ pid }) => pid));
  const socket = await connect(await session("", leaving));
  const under = session("new", leaving).catch(() => undefined);
  const mine = browserProcesses().filter(({ pid }) => !known.has(pid));
  expect(mine.length).toBeGreaterThan(0);
  await leaving.close();
  await Promise.all([under, socket.closed]);
  expect(browserProcesses().filter(({ pid }) => !known.has(pid))).toEqual([]);
  expect(existsSync(leaving.stateDir)).toBe(false);
  const left = await readdir(path.join(rig.stateDir, "browser", "sessions"));
  expect(left.toSorted()).toEqual(
    rig.sessions
      .list()
      .map(({ id }) => id)
      .toSorted(),
  );
});

/** Past the handshake, as bytes. */
async function upgradedSocket(url: string): Promise<net.Socket> {
  const { hostname, port, pathname } = new URL(url);
  const socket = net.connect(Number(port), hostname);
  socket.on("error", () => undefined);
  const headers = {
    Host: `${hostname}:${port}`,
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
    "Sec-WebSocket-Version": "13",
    ...SECRET_HEADERS,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.write([`GET ${pathname} HTTP/1.1`, ...lines, "", ""].join("\r\n"));
  const head = await new Promise<string>((resolve) =>
    socket.once("data", (data) => resolve(String(data))),
  );
  expect(head).toMatch(/^HTTP\/1\.1 101/);
  return socket;
}
