/**
 * A client of the debugging port, as a program in the sandbox would be: it does everything that a
 * client of a browser does and prints what came of it. Bundled by the test that runs it.
 *
 * Arguments: playwright | puppeteer, the port's address, the site's.
 */
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { connect, type Protocol } from "puppeteer-core";

const [library = "", endpoint = "", site = ""] = process.argv.slice(2);
const SIZE = 20 * 1024 * 1024;
const DATA = `fetch("/data").then((reply) => reply.json())`;
const DOWN = `"y".repeat(${SIZE})`;
const isPng = (bytes: Uint8Array) => Buffer.from(bytes.subarray(1, 4)).toString() === "PNG";
const isPdf = (bytes: Uint8Array) => Buffer.from(bytes.subarray(0, 4)).toString() === "%PDF";

/** What the pages of both libraries do alike. */
interface Page {
  click(selector: string): Promise<void>;
  title(): Promise<string>;
  evaluate(expression: string): Promise<unknown>;
  evaluate(read: (text: string) => number, text: string): Promise<number>;
  screenshot(): Promise<Uint8Array>;
  pdf(): Promise<Uint8Array>;
}

/** Sends the form that is filled in, and looks at what the page is then. */
async function submit(page: Page): Promise<object> {
  await page.click("#go");
  const typed = await page.title();
  const intercepted = await page.evaluate(DATA);
  const screenshot = isPng(await page.screenshot());
  const pdf = isPdf(await page.pdf());
  const up = await page.evaluate((text) => text.length, "x".repeat(SIZE));
  const down = String(await page.evaluate(DOWN)).length;
  return { typed, intercepted, screenshot, pdf, up, down };
}

async function withPlaywright(): Promise<object> {
  let browser = await chromium.connectOverCDP(endpoint);
  const context = await browser.newContext();
  const other = await browser.newContext();
  const page = await context.newPage();
  const second = await other.newPage();
  await page.route("**/data", (route) => route.fulfill({ json: "mine" }));
  await page.goto(`${site}/`);
  await page.fill("#name", "Ada");
  const seen = await submit(page);
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#file")]);
  const failure = await download.failure();
  await second.goto(`${site}/worker`);
  await second.waitForFunction(`document.title === "from the worker"`);
  const worker = await second.title();
  const contexts = [context.pages().length, other.pages().length];
  await other.close();
  await context.close();
  await browser.close();
  browser = await chromium.connectOverCDP(endpoint);
  const again = await browser.contexts()[0]?.newPage();
  await again?.goto(`${site}/second`);
  const found = await again?.title();
  await again?.close();
  await browser.close();
  return { ...seen, download: failure ?? "completed", worker, contexts, again: found };
}

async function withPuppeteer(): Promise<object> {
  let browser = await connect({ browserURL: endpoint });
  const context = await browser.createBrowserContext();
  const other = await browser.createBrowserContext();
  const page = await context.newPage();
  const second = await other.newPage();
  await page.setRequestInterception(true);
  page.on("request", (request) =>
    request.url().endsWith("/data")
      ? void request.respond({ contentType: "application/json", body: '"mine"' })
      : void request.continue(),
  );
  await page.goto(`${site}/`);
  await page.type("#name", "Ada");
  const seen = await submit(page);
  const session = await browser.target().createCDPSession();
  await session.send("Browser.setDownloadBehavior", {
    behavior: "allowAndName",
    ...(context.id === undefined ? {} : { browserContextId: context.id }),
    downloadPath: "/tmp/downloads",
    eventsEnabled: true,
  });
  const ended = new Promise<string>((resolve) => {
    session.on("Browser.downloadProgress", ({ state }: Protocol.Browser.DownloadProgressEvent) => {
      if (state !== "inProgress") resolve(state);
    });
  });
  await page.click("#file");
  const download = await ended;
  await second.goto(`${site}/worker`);
  await second.waitForFunction(`document.title === "from the worker"`);
  const worker = await second.title();
  const contexts = [(await context.pages()).length, (await other.pages()).length];
  await other.close();
  await context.close();
  await browser.disconnect();
  browser = await connect({ browserURL: endpoint });
  const again = await browser.newPage();
  await again.goto(`${site}/second`);
  const found = await again.title();
  await again.close();
  await browser.disconnect();
  return { ...seen, download, worker, contexts, again: found };
}

const outcome = await (library === "playwright" ? withPlaywright() : withPuppeteer());
const hostname = readFileSync("/etc/hostname", "utf8").trim();
process.stdout.write(`OUTCOME ${JSON.stringify({ ...outcome, hostname })}\n`);
process.exit(0);
