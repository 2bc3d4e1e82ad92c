#!/usr/bin/env node
// Screenshots, text, links and PDF of web pages, over the debugging port of a Chromium.
// It needs nothing but Node: https://chromedevtools.github.io/devtools-protocol/
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";

const HELP = `Usage: browse.mjs <command> <address>… [options]

  screenshot <address>…   a picture of each page
  text <address>…         title and text
  links <address>…        title and links
  pdf <address>…          each page printed

  --out <path>      a file, or a folder when there are several addresses
  --full            the whole page instead of the window (screenshot)
  --max <n>         characters of text at most (20000)
  --width <n>       of the window (1280)
  --height <n>      of the window (800)
  --wait <ms>       more after the page has loaded (0)
  --timeout <ms>    for one page (30000)
  --help            this text

CDP_URL names another debugging port than http://127.0.0.1:9222.
`;

const OPTIONS = /** @type {const} */ ({
  out: { type: "string" },
  full: { type: "boolean", default: false },
  max: { type: "string", default: "20000" },
  width: { type: "string", default: "1280" },
  height: { type: "string", default: "800" },
  wait: { type: "string", default: "0" },
  timeout: { type: "string", default: "30000" },
  help: { type: "boolean", short: "h", default: false },
});
const CONNECT_MS = 100_000;
const LONGEST_PICTURE = 16_384;
const TEXT = `(document.querySelector("article, main") ?? document.body ?? document.documentElement).innerText`;
const LINKS = `[...new Set([...document.links].filter((a) => /^https?:/.test(a.href)).map((a) => a.href + "\\t" + a.innerText.trim().replace(/\\s+/g, " ").slice(0, 200)))]`;

class Failure extends Error {}

/** A connection to the browser; commands are answered in any order. */
class Browser {
  #socket;
  #next = 0;
  #waiting = new Map();
  #listeners = new Set();

  constructor(socket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#heard(JSON.parse(data)));
    socket.addEventListener("close", () => {
      for (const { reject } of this.#waiting.values()) {
        reject(new Failure("the browser has gone away"));
      }
      this.#waiting.clear();
    });
  }

  static async connect(origin) {
    let answer;
    try {
      answer = await fetch(`${origin}/json/version`, { signal: AbortSignal.timeout(CONNECT_MS) });
    } catch (error) {
      throw new Failure(`no browser at ${origin}: ${error.cause?.message ?? error.message}`);
    }
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Failure(told.error?.message ?? `${origin} answered ${answer.status}`);
    const socket = new WebSocket(told.webSocketDebuggerUrl);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", () => reject(new Failure("the browser was not reached")));
    });
    return new Browser(socket);
  }

  send(method, params = {}, sessionId) {
    this.#next += 1;
    const id = this.#next;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
  }

  /** Calls `heard` for every event until the function that comes back is called. */
  listen(heard) {
    this.#listeners.add(heard);
    return () => this.#listeners.delete(heard);
  }

  close() {
    this.#socket.close();
  }

  #heard(message) {
    if (message.id === undefined) {
      for (const listener of this.#listeners) listener(message);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error === undefined) waiting?.resolve(message.result);
    else waiting?.reject(new Failure(message.error.message));
  }
}

/** Opens one page in a context of its own, hands it to `use`, and leaves nothing behind. */
async function withPage(browser, address, options, use) {
  const { browserContextId } = await browser.send("Target.createBrowserContext", {
    disposeOnDetach: true,
  });
  try {
    const { targetId } = await browser.send("Target.createTarget", {
      url: "about:blank",
      browserContextId,
      width: options.width,
      height: options.height,
    });
    const { sessionId } = await browser.send("Target.attachToTarget", { targetId, flatten: true });
    const page = (method, params) => browser.send(method, params, sessionId);
    await page("Page.enable");
    await page("Network.enable");
    await page("Emulation.setDeviceMetricsOverride", {
      width: options.width,
      height: options.height,
      deviceScaleFactor: 1,
      mobile: false,
    });
    await load(browser, page, sessionId, address, options);
    return await use(page);
  } finally {
    await browser.send("Target.disposeBrowserContext", { browserContextId }).catch(() => {});
  }
}

async function load(browser, page, sessionId, address, { wait, timeout }) {
  let status = 0;
  const { promise: loaded, resolve } = Promise.withResolvers();
  const deaf = browser.listen((event) => {
    if (event.sessionId !== sessionId) return;
    if (event.method === "Page.loadEventFired") resolve(true);
    if (event.method === "Inspector.targetCrashed") resolve(false);
    if (event.method === "Network.responseReceived" && event.params.type === "Document") {
      status ||= event.params.response.status;
    }
  });
  const late = setTimeout(() => resolve(undefined), timeout);
  try {
    const { errorText } = await within(page("Page.navigate", { url: address }), timeout);
    if (errorText !== undefined) throw new Failure(explain(errorText));
    const how = await loaded;
    if (how === false) throw new Failure("the page crashed");
    if (how === undefined) note(`${address} is still loading; this is what there is`);
    if (status === 403) {
      const refused = /^The browser may not open .*/m.exec(await evaluate(page, TEXT));
      if (refused !== null) throw new Failure(refused[0]);
    }
    if (status >= 400) note(`${address} answered ${status}`);
    if (wait > 0) await new Promise((done) => setTimeout(done, wait));
  } finally {
    clearTimeout(late);
    deaf();
  }
}

function within(promise, ms) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Failure(`no answer within ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function explain(errorText) {
  return errorText === "net::ERR_TUNNEL_CONNECTION_FAILED"
    ? "the browser may not open it, or nothing answers there (net::ERR_TUNNEL_CONNECTION_FAILED)"
    : `the browser could not open it (${errorText})`;
}

async function evaluate(page, expression) {
  const { result, exceptionDetails } = await page("Runtime.evaluate", {
    expression,
    returnByValue: true,
  });
  if (exceptionDetails !== undefined) throw new Failure(exceptionDetails.text);
  return result.value;
}

const title = async (page) => (await evaluate(page, "document.title")) || "(no title)";

const COMMANDS = {
  async screenshot(page, options, file) {
    const params = { format: /\.jpe?g$/i.test(file) ? "jpeg" : "png" };
    if (options.full) {
      const { cssContentSize } = await page("Page.getLayoutMetrics");
      const height = Math.min(LONGEST_PICTURE, Math.ceil(cssContentSize.height));
      params.captureBeyondViewport = true;
      params.clip = { x: 0, y: 0, width: Math.ceil(cssContentSize.width), height, scale: 1 };
    }
    const { data } = await page("Page.captureScreenshot", params);
    await writeFile(file, data, "base64");
    say(`${file}\t${await title(page)}`);
  },
  async pdf(page, _options, file) {
    const { data } = await page("Page.printToPDF", { printBackground: true });
    await writeFile(file, data, "base64");
    say(`${file}\t${await title(page)}`);
  },
  async text(page, { max }) {
    const text = String(await evaluate(page, TEXT)).trim();
    const cut = text.length > max ? `${text.slice(0, max)}\n… (${text.length - max} more)` : text;
    say(`# ${await title(page)}\n\n${cut}`);
  },
  async links(page) {
    say([`# ${await title(page)}`, ...(await evaluate(page, LINKS))].join("\n"));
  },
};
const EXTENSION = { screenshot: "png", pdf: "pdf" };

/** `--out` for one page is its file; otherwise a folder with files named after the pages. */
async function fileFor(command, addresses, index, out) {
  const extension = EXTENSION[command];
  if (extension === undefined) return "";
  if (out !== undefined && addresses.length === 1) {
    await mkdir(path.dirname(path.resolve(out)), { recursive: true });
    return out;
  }
  const folder = out ?? ".";
  await mkdir(folder, { recursive: true });
  const url = new URL(addresses[index]);
  const words = `${url.host}${url.pathname}`.replaceAll(/[^A-Za-z0-9]+/g, "-").slice(0, 60);
  const number = String(index + 1).padStart(2, "0");
  return path.join(folder, `${number}-${words.replace(/-$/, "")}.${extension}`);
}

function readArguments() {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  const [command, ...given] = positionals;
  if (values.help) return undefined;
  if (command === undefined || !Object.hasOwn(COMMANDS, command)) {
    throw new Failure(`there is no command ${command ?? ""}; --help lists them`);
  }
  if (given.length === 0) throw new Failure("no address was given");
  const addresses = given.map((address) => {
    const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(address) ? address : `https://${address}`;
    if (!/^https?:\/\//i.test(whole) || !URL.canParse(whole)) {
      throw new Failure(`${address} is not an http or https address`);
    }
    return whole;
  });
  const number = (name) => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 0) throw new Failure(`--${name} is not a number`);
    return value;
  };
  const sizes = { width: number("width"), height: number("height"), max: number("max") };
  const times = { wait: number("wait"), timeout: number("timeout") };
  return { command, addresses, out: values.out, full: values.full, ...sizes, ...times };
}

function say(text) {
  process.stdout.write(`${text}\n`);
}

function note(text) {
  process.stderr.write(`browse: ${text}\n`);
}

async function main() {
  const asked = readArguments();
  if (asked === undefined) return say(HELP);
  const origin = (process.env.CDP_URL ?? "http://127.0.0.1:9222").replace(/\/+$/, "");
  const browser = await Browser.connect(origin);
  try {
    for (const [index, address] of asked.addresses.entries()) {
      try {
        const file = await fileFor(asked.command, asked.addresses, index, asked.out);
        await withPage(browser, address, asked, (page) =>
          COMMANDS[asked.command](page, asked, file),
        );
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        note(`${address}: ${error.message}`);
        process.exitCode = 1;
      }
    }
  } finally {
    browser.close();
  }
}

main().catch((error) => {
  note(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
