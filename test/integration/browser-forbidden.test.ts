/** What a page, and whoever drives it, must not reach: with a real Chromium in its real sandbox. */
import { createServer, type Server } from "node:http";
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SECRET_HEADERS, startBrowserRig, type BrowserRig } from "../support/browser-rig.ts";
import { browserProcesses } from "../support/browser-processes.ts";
import { html, startSite, type Site } from "../support/browser-site.ts";

/** A busy machine takes its time. */
const patient = { timeout: 30_000 };

/** On this machine and not allowed: whoever reaches it is written down. */
interface Secret {
  port: number;
  reached: string[];
  close(): Promise<void>;
}

let rig: BrowserRig;
let site: Site;
let secret: Secret;
let browser: Browser;
let context: BrowserContext;
let page: Page;
/** How often a name was looked up. */
const lookups = new Map<string, number>();

/** Names of the internet, as somebody who means harm would have them answered. */
async function resolve(name: string): Promise<string[]> {
  const times = (lookups.get(name) ?? 0) + 1;
  lookups.set(name, times);
  switch (name) {
    case "rebind.example.com":
      // The first answer is fit, every later one is not.
      return times === 1 ? ["198.41.0.4"] : ["127.0.0.1"];
    case "both.example.com":
      return ["198.41.0.4", "127.0.0.1"];
    case "private.example.com":
      return ["10.0.0.1"];
    case "mapped.example.com":
      return ["::ffff:127.0.0.1"];
    case "loopback.example.com":
      return ["127.0.0.1"];
    case "loopback6.example.com":
      return ["::1"];
    default:
      return [];
  }
}

beforeAll(async () => {
  site = await startSite({
    "/to": (request, response) => {
      const to = new URL(request.url ?? "", "http://site").searchParams.get("to") ?? "";
      response.writeHead(302, { Location: to }).end();
    },
    "/blank": (_request, response) => html(response, "<title>Blank</title>"),
  });
  secret = await startSecret();
  rig = await startBrowserRig({
    private: [`127.0.0.1:${site.port}`],
    deny: ["denied.example.com"],
    resolve,
  });
  browser = await chromium.connectOverCDP(`${rig.outside}/cdp`, { headers: SECRET_HEADERS });
});
afterAll(async () => {
  await browser?.close();
  await rig?.close();
  await secret?.close();
  await site?.close();
});
beforeEach(async () => {
  secret.reached.length = 0;
  context = await browser.newContext();
  page = await context.newPage();
});
afterEach(() => context?.close());

/** `PORT` stands for the port of what must not be reached. */
const ADDRESSES = [
  "http://127.0.0.1:PORT/",
  "http://localhost:PORT/",
  "http://LOCALHOST.:PORT/",
  "http://sub.localhost:PORT/",
  "http://127.1:PORT/",
  "http://127.0.1:PORT/",
  "http://127.255.255.254:PORT/",
  "http://2130706433:PORT/",
  "http://0x7f000001:PORT/",
  "http://0x7f.1:PORT/",
  "http://0177.0.0.1:PORT/",
  "http://0:PORT/",
  "http://0.0.0.0:PORT/",
  "http://①②⑦.0.0.1:PORT/",
  "http://[::1]:PORT/",
  "http://[0:0:0:0:0:0:0:1]:PORT/",
  "http://[::]:PORT/",
  "http://[::127.0.0.1]:PORT/",
  "http://[::ffff:127.0.0.1]:PORT/",
  "http://[::ffff:7f00:1]:PORT/",
  "http://[64:ff9b::7f00:1]:PORT/",
  "http://[2002:7f00:1::]:PORT/",
  "http://[fe80::1]/",
  "http://[fc00::1]/",
  "http://[fd00:ec2::254]/",
  "http://[ff02::1]/",
  "http://10.0.0.1/",
  "http://172.16.0.1/",
  "http://192.168.0.1/",
  "http://100.64.0.1/",
  "http://169.254.169.254/latest/meta-data/",
  "http://2852039166/latest/meta-data/",
  "http://100.100.100.200/",
  "http://168.63.129.16/",
  "http://metadata.google.internal/computeMetadata/v1/",
  "http://metadata/",
  "http://224.0.0.1/",
  "http://255.255.255.255/",
  "http://ai.moltworker.internal/anthropic/v1/messages",
  "http://backup.moltworker.internal/",
  "http://browser.moltworker.internal/json/version",
  "http://control.moltworker.internal/",
  "http://printer.local/",
  "http://router.lan/",
  "http://intranet/",
  "http://private.example.com/",
  "http://both.example.com:PORT/",
  "http://mapped.example.com:PORT/",
  "http://loopback.example.com:PORT/",
  "http://loopback6.example.com:PORT/",
  "http://denied.example.com/",
  "https://127.0.0.1:PORT/",
  "https://loopback.example.com:PORT/",
  // Its own debugging port, and the stand-in of the proxy.
  "http://127.0.0.1:9222/json/version",
  "http://[::1]:9222/json/version",
].map((address) => [address] as const);

/** By the proxy's words where it can speak, else by an error of the browser's own. */
const REFUSED = /^403 The browser may not open |net::ERR_/;

async function visit(address: string): Promise<string> {
  try {
    const answer = await page.goto(address, { timeout: 30_000 });
    return `${answer?.status()} ${await answer?.text()}`;
  } catch (error) {
    return String(error);
  }
}

const whole = (address: string) => address.replace("PORT", String(secret.port));

describe("a page may not be", () => {
  test.each(ADDRESSES)("%s", async (address) => {
    expect(await visit(whole(address))).toMatch(REFUSED);
    expect(secret.reached).toEqual([]);
  });

  test("any address of this machine's own", async () => {
    const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    for (const { address, family } of own.filter(({ address: one }) => !one.startsWith("fe80"))) {
      const host = family === "IPv6" ? `[${address}]` : address;
      expect(await visit(`http://${host}:${secret.port}/`)).toMatch(REFUSED);
    }
    expect(secret.reached).toEqual([]);
  });

  test("where an allowed page is redirected to, by any means", async () => {
    const to = `http://127.0.0.1:${secret.port}/`;
    const redirect = `${site.origin}/to?to=${encodeURIComponent(to)}`;
    expect(await visit(redirect)).toMatch(REFUSED);
    for (const script of [
      `location.href = ${JSON.stringify(to)}`,
      `document.write('<meta http-equiv="refresh" content="0;url=${to}">')`,
      `window.open(${JSON.stringify(to)})`,
      `document.body.innerHTML = '<form id="f" method="post" action="${to}"></form>'; f.submit()`,
    ]) {
      await page.goto(`${site.origin}/blank`);
      await page.evaluate(script);
      await settled(page);
    }
    expect(secret.reached).toEqual([]);
  });

  test("a name whose answer changes after the first time", async () => {
    const address = `http://rebind.example.com:${secret.port}/`;
    await page.goto(address, { timeout: 3_000 }).catch(String);
    await expect.poll(() => lookups.get("rebind.example.com") ?? 0, patient).toBeGreaterThan(0);
    for (let n = 0; n < 4; n += 1) await page.goto(address, { timeout: 3_000 }).catch(String);
    await expect.poll(() => lookups.get("rebind.example.com") ?? 0, patient).toBeGreaterThan(1);
    expect(secret.reached).toEqual([]);
  });
});

/** Everything by which a page loads something from `base`, so that `base` sees a request each. */
const LOADERS = `async (base) => {
  const add = (html) => document.body.insertAdjacentHTML("beforeend", html);
  const done = [];
  const both = (object, ...events) => done.push(Promise.race([...events.map((event) => new Promise((ok) => object.addEventListener(event, ok))), new Promise((ok) => setTimeout(ok, 5000))]));
  for (const kind of ["fetch", "cors"]) done.push(fetch(base + "/" + kind, { mode: kind === "fetch" ? "no-cors" : "cors" }).catch(() => {}));
  const image = new Image(); both(image, "load", "error"); image.src = base + "/image";
  const script = document.createElement("script"); both(script, "load", "error"); script.src = base + "/script"; document.head.append(script);
  const style = document.createElement("link"); both(style, "load", "error"); style.rel = "stylesheet"; style.href = base + "/style"; document.head.append(style);
  const frame = document.createElement("iframe"); both(frame, "load", "error"); frame.src = base + "/frame"; document.body.append(frame);
  const embed = document.createElement("object"); both(embed, "load", "error"); embed.data = base + "/object"; document.body.append(embed);
  const video = document.createElement("video"); both(video, "error", "loadeddata"); video.src = base + "/video"; document.body.append(video);
  const socket = new WebSocket(base.replace("http", "ws") + "/socket"); both(socket, "open", "error");
  const events = new EventSource(base + "/events"); both(events, "open", "error");
  const code = new Worker(URL.createObjectURL(new Blob(["try { importScripts(" + JSON.stringify(base + "/worker") + ") } catch {} postMessage(1)"]))); both(code, "message", "error");
  navigator.sendBeacon(base + "/beacon", "x");
  await Promise.all(done);
}`;
const KINDS = "fetch cors image script style frame object video socket events worker beacon".split(
  " ",
);

describe("a page may not load", () => {
  test("anything of an address it may not be: the same page does from one it may", async () => {
    await page.goto(`${site.origin}/blank`);
    const from = site.asked.length;
    await page.evaluate(`(${LOADERS})(location.origin)`);
    await expect
      .poll(() => KINDS.filter((kind) => !site.asked.slice(from).includes(`/${kind}`)), patient)
      .toEqual([]);

    for (const base of [
      `http://127.0.0.1:${secret.port}`,
      `http://localhost:${secret.port}`,
      `http://[::1]:${secret.port}`,
      `http://2130706433:${secret.port}`,
      `http://loopback.example.com:${secret.port}`,
    ]) {
      await page.goto(`${site.origin}/blank`);
      await page.evaluate(`(${LOADERS})(${JSON.stringify(base)})`);
    }
    expect(secret.reached).toEqual([]);
  });

  test("what a subresource is redirected to", async () => {
    await page.goto(`${site.origin}/blank`);
    const to = encodeURIComponent(`http://127.0.0.1:${secret.port}/`);
    const from = site.asked.length;
    await page.evaluate(
      `Promise.all(["no-cors", "cors"].map((mode) => fetch("/to?to=${to}", { mode }).catch(() => {})))`,
    );
    expect(site.asked.slice(from)).toContain("/to");
    expect(secret.reached).toEqual([]);
  });

  test("anything by WebRTC, which would go around a proxy", async () => {
    await page.goto(`${site.origin}/blank`);
    const candidates = await page.evaluate(`new Promise((ok) => {
      const peer = new RTCPeerConnection({ iceServers: [{ urls: "turn:127.0.0.1:${secret.port}?transport=tcp", username: "u", credential: "c" }] });
      const found = [];
      peer.createDataChannel("x");
      peer.onicecandidate = ({ candidate }) => candidate ? found.push(candidate.candidate) : ok(found);
      peer.createOffer().then((offer) => peer.setLocalDescription(offer));
      setTimeout(() => ok(found), 4000);
    })`);
    expect(JSON.stringify(candidates)).not.toMatch(/relay/);
    expect(secret.reached).toEqual([]);
  });
});

describe("whoever drives the browser", () => {
  test("goes around the proxy to nothing at all", async () => {
    const session = await browser.newBrowserCDPSession();
    const { browserContextId } = await session.send("Target.createBrowserContext", {
      proxyServer: "direct://",
      proxyBypassList: "*",
    });
    for (const host of ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254"]) {
      const { targetId } = await session.send("Target.createTarget", {
        url: `http://${host}:${secret.port}/`,
        browserContextId,
      });
      await session.send("Target.closeTarget", { targetId });
    }
    await session.send("Target.disposeBrowserContext", { browserContextId });
    expect(secret.reached).toEqual([]);
  });

  test("has a place to write that is memory and bounded, and none on the disk", () => {
    const [running] = browserProcesses();
    const mounts = readFileSync(`/proc/${running?.pid}/mounts`, "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split(" "));
    const writable = mounts.filter(([, , , options = ""]) => options.split(",").includes("rw"));
    expect(mounts.length).toBeGreaterThan(5);
    const kinds = new Set(writable.map(([, , kind]) => kind));
    for (const kind of kinds) expect(["tmpfs", "proc", "devpts", "devtmpfs"]).toContain(kind);
    const temporary = writable.find(([, where]) => where === "/tmp");
    expect(temporary?.[3]).toMatch(/size=1048576k/);
  });
});

/** Waits for whatever a script set off to have failed or ended. */
async function settled(where: Page): Promise<void> {
  await where.waitForLoadState("load").catch(() => undefined);
  await where.waitForTimeout(300);
}

async function startSecret(): Promise<Secret> {
  const reached: string[] = [];
  const servers: Server[] = [];
  const listen = (host: string, port: number) =>
    new Promise<number | undefined>((resolved) => {
      const server = createServer((request, response) => {
        reached.push(`${host} ${request.method} ${request.url}`);
        response.end("the secret of this machine");
      });
      server.on("connection", () => reached.push(`${host} connection`));
      server.once("error", () => resolved(undefined));
      server.listen(port, host, () => {
        servers.push(server);
        const address = server.address();
        resolved(typeof address === "object" ? address?.port : undefined);
      });
    });
  const port = (await listen("0.0.0.0", 0)) ?? 0;
  // A machine without IPv6 has nothing to reach there.
  await listen("::1", port);
  return {
    port,
    reached,
    async close() {
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((closed) => server.close(closed));
      }
    },
  };
}
