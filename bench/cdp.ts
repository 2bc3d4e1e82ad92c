import { WebSocket } from "ws";
import * as z from "zod";
import { SECRET_HEADERS, startBrowserRig, type BrowserRig } from "../test/support/browser-rig.ts";
import { startSite, type Site } from "../test/support/browser-site.ts";
import { connectCdp, speakCdp, type CdpSocket } from "../test/support/cdp-socket.ts";
import type { Bench } from "./bench.ts";
import {
  addedRow,
  median,
  milliseconds,
  percentileRow,
  percentiles,
  seconds,
} from "./statistics.ts";

const WARM_UP = 50;
const ROUNDS = 500;
const PICTURES = 40;
const PICTURE_WARM_UP = 4;
const COLD = 6;
const GOAL = { addedMs: 1, throughput: 0.9, coldMs: 2_000 };
/** Noise does not compress: the picture is about 1 MB. */
const NOISE = `(() => {
  const canvas = document.createElement("canvas");
  canvas.width = 640; canvas.height = 400; canvas.style = "position:fixed;inset:0";
  const context = canvas.getContext("2d");
  const picture = context.createImageData(640, 400);
  for (let at = 0; at < picture.data.length; at += 65536) crypto.getRandomValues(picture.data.subarray(at, at + 65536));
  for (let at = 3; at < picture.data.length; at += 4) picture.data[at] = 255;
  context.putImageData(picture, 0, 0);
  document.body.replaceChildren(canvas);
})()`;
const CLIP = { x: 0, y: 0, width: 640, height: 400, scale: 1 };

const opened = z.object({ id: z.string(), webSocketDebuggerUrl: z.string() });
const version = z.object({ webSocketDebuggerUrl: z.string() });
const picture = z.object({ data: z.string() });

export const cdp: Bench = {
  name: "cdp",
  about: "commands to a browser through the Worker, against its debugging port directly",
  async run({ tell }) {
    const site = await startSite();
    const rig = await startBrowserRig({ private: [`127.0.0.1:${site.port}`] });
    try {
      const { through, direct } = await samePage(rig, site);
      const calls = { direct: [] as number[], through: [] as number[] };
      tell(`${ROUNDS} calls each, in turns`);
      for (let round = -WARM_UP; round < ROUNDS; round += 1) {
        const one = await timed(() => direct.send("Browser.getVersion"));
        const other = await timed(() => through.send("Browser.getVersion"));
        if (round < 0) continue;
        calls.direct.push(one);
        calls.through.push(other);
      }
      await through.send("Runtime.evaluate", { expression: NOISE });
      const { data } = picture.parse(await shoot(through));
      const bytes = Buffer.byteLength(data);
      const pictures = { direct: [] as number[], through: [] as number[] };
      tell(`${PICTURES} pictures of ${(bytes / 1e6).toFixed(2)} MB each, in turns`);
      for (let round = -PICTURE_WARM_UP; round < PICTURES; round += 1) {
        const one = await timed(() => shoot(direct));
        const other = await timed(() => shoot(through));
        if (round < 0) continue;
        pictures.direct.push(one);
        pictures.through.push(other);
      }
      through.close();
      direct.close();
      for (const { id } of rig.sessions.list()) await rig.release(id);
      tell(`${COLD} times from no browser to a picture`);
      const cold: number[] = [];
      for (let round = 0; round < COLD; round += 1) cold.push(await coldPicture(rig, site));

      const added = median(calls.through) - median(calls.direct);
      const share = median(pictures.direct) / median(pictures.through);
      const coldMs = median(cold);
      return {
        how:
          `One page of one Chromium, ${ROUNDS} \`Browser.getVersion\` and ${PICTURES} screenshots of ` +
          `${(bytes / 1e6).toFixed(2)} MB in turns: client → Worker → binding → Chromium with the CDP ` +
          "secret, and over a connection into the browser's own network namespace. Cold: from no browser " +
          `running to the picture of a page, ${COLD} times.`,
        table: {
          head: ["", "p50", "p95", "p99"],
          rows: [
            percentileRow("getVersion, directly", calls.direct),
            percentileRow("getVersion, through", calls.through),
            addedRow("getVersion, added", calls.direct, calls.through),
            percentileRow("screenshot, directly", pictures.direct),
            percentileRow("screenshot, through", pictures.through),
            ["cold to picture", ...Object.values(percentiles(cold)).map(seconds)],
          ],
        },
        goals: [
          {
            what: "added to a call at p50",
            measured: milliseconds(added),
            goal: `≤ ${GOAL.addedMs} ms`,
            met: added <= GOAL.addedMs,
          },
          {
            what: "throughput of screenshots at p50, of direct",
            measured: `${(share * 100).toFixed(0)} %`,
            goal: `≥ ${GOAL.throughput * 100} %`,
            met: share >= GOAL.throughput,
          },
          {
            what: "cold to a picture at p50",
            measured: seconds(coldMs),
            goal: `< ${seconds(GOAL.coldMs)}`,
            met: coldMs < GOAL.coldMs,
          },
        ],
      };
    } finally {
      await rig.close();
      await site.close();
    }
  },
};

/** One page, over the Worker and over a connection of its own to the same Chromium. */
async function samePage(
  rig: BrowserRig,
  site: Site,
): Promise<{ through: CdpSocket; direct: CdpSocket }> {
  const reply = await fetch(`${rig.outside}/cdp/json/new?${site.origin}/`, {
    method: "PUT",
    headers: SECRET_HEADERS,
  });
  const { id, webSocketDebuggerUrl } = opened.parse(await reply.json());
  const through = await connect(webSocketDebuggerUrl);
  const [session] = rig.sessions.list();
  if (session === undefined) throw new Error("no session is open");
  const dialled = await session.chromium.dial();
  const direct = await speakCdp(
    new WebSocket(`ws://localhost/devtools/page/${id}`, {
      createConnection: () => dialled,
      perMessageDeflate: false,
      maxPayload: 2 ** 29,
    }),
  );
  if (!direct.ok) throw new Error(`the browser answered ${direct.status}`);
  return { through, direct: direct.cdp };
}

async function connect(url: string): Promise<CdpSocket> {
  const connected = await connectCdp(url, SECRET_HEADERS);
  if (!connected.ok) throw new Error(`${connected.status}: ${connected.body}`);
  return connected.cdp;
}

function shoot(page: CdpSocket): Promise<unknown> {
  return page.send("Page.captureScreenshot", { clip: CLIP, optimizeForSpeed: true });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** As a client does it: asks for a browser, opens a page, waits for it, takes its picture, leaves. */
async function coldPicture(rig: BrowserRig, site: Site): Promise<number> {
  const began = performance.now();
  const told = await fetch(`${rig.outside}/cdp/json/version`, { headers: SECRET_HEADERS });
  const browser = await connect(version.parse(await told.json()).webSocketDebuggerUrl);
  const { targetId } = z
    .object({ targetId: z.string() })
    .parse(await browser.send("Target.createTarget", { url: "about:blank" }));
  const url = `${rig.outside.replace("http", "ws")}/cdp/devtools/page/${targetId}`;
  const page = await connect(url);
  const loaded = new Promise((resolve) => {
    page.socket.on("message", (data) => {
      if (String(data).includes("Page.loadEventFired")) resolve(undefined);
    });
  });
  await page.send("Page.enable");
  await page.send("Page.navigate", { url: `${site.origin}/` });
  await loaded;
  await page.send("Page.captureScreenshot");
  const took = performance.now() - began;
  page.close();
  browser.close();
  for (const { id } of rig.sessions.list()) await rig.release(id);
  return took;
}
