/**
 * No file of the host by any CDP method that names a path or an address: everything the browser says
 * is kept, and what is written on the host's disk must not be in it.
 */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { WebSocket } from "ws";
import * as z from "zod";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SECRET_HEADERS, startBrowserRig, type BrowserRig } from "../support/browser-rig.ts";
import { html, startSite, type Site } from "../support/browser-site.ts";

/** A busy machine takes its time. */
const patient = { timeout: 30_000 };

const SECRET = "planted-on-the-disk-4417";
const ENCODED = Buffer.from(SECRET).toString("base64").slice(0, 24);

let rig: BrowserRig;
let site: Site;
let folder: string;
let places: string[];
let files: string[];
let cdp: Cdp;

beforeAll(async () => {
  site = await startSite({
    "/upload": (_request, response) =>
      html(response, `<title>Upload</title><input type="file" id="file"><div id="drop">x</div>`),
    "/script": (_request, response) => html(response, `<script src="/data"></script>`),
  });
  rig = await startBrowserRig({ private: [`127.0.0.1:${site.port}`] });
  folder = await mkdtemp(path.join(tmpdir(), "planted-"));
  places = [folder, rig.stateDir, path.join(rig.stateDir, "browser"), homedir()];
  files = places.map((place) => path.join(place, "planted-secret.txt"));
  await Promise.all(files.map((file) => writeFile(file, SECRET)));
  cdp = await openPage();
});
afterAll(async () => {
  cdp?.close();
  await Promise.all((files ?? []).map((file) => rm(file, { force: true })));
  await rig?.close();
  await site?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});
beforeEach(() => go(`${site.origin}/upload`));

/** One page's own socket. */
interface Cdp {
  send(method: string, params?: object): Promise<Reply>;
  /** Everything that was said so far. */
  said(): string;
  close(): void;
}

interface Reply {
  ok: boolean;
  text: string;
}

const page = z.object({ webSocketDebuggerUrl: z.string() });
const numbered = z.object({ id: z.number().optional(), error: z.unknown().optional() });

async function openPage(): Promise<Cdp> {
  const reply = await fetch(`${rig.outside}/cdp/json/new`, {
    method: "PUT",
    headers: SECRET_HEADERS,
  });
  const { webSocketDebuggerUrl } = page.parse(await reply.json());
  const socket = new WebSocket(webSocketDebuggerUrl, {
    headers: SECRET_HEADERS,
    maxPayload: 2 ** 28,
  });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const waiting = new Map<number, (reply: Reply) => void>();
  let said = "";
  let last = 0;
  socket.on("message", (data) => {
    const text = String(data);
    said += text;
    const { id, error } = numbered.parse(JSON.parse(text));
    if (id !== undefined) waiting.get(id)?.({ ok: error === undefined, text });
  });
  return {
    send(method, params = {}) {
      last += 1;
      const id = last;
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`${method} was not answered`)), 60_000);
        waiting.set(id, (told) => {
          clearTimeout(late);
          resolve(told);
        });
        socket.send(JSON.stringify({ id, method, params }));
      });
    },
    said: () => said,
    close: () => socket.terminate(),
  };
}

async function go(address: string): Promise<Reply> {
  await cdp.send("Page.enable");
  const reply = await cdp.send("Page.navigate", { url: address });
  await expect
    .poll(async () => (await evaluate("document.readyState")).text, patient)
    .toContain('"complete"');
  return reply;
}

const evaluate = (expression: string) =>
  cdp.send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });

const READ_FILE = `Promise.race([new Promise((ok) => { const [file] = document.querySelector("#file").files; if (!file) return ok("none"); file.text().then(ok, (error) => ok("failed " + error)); }), new Promise((ok) => setTimeout(() => ok("nothing"), 3000))])`;

async function readByInput(file: string): Promise<Reply> {
  await cdp.send("DOM.enable");
  const { text } = await cdp.send("Runtime.evaluate", {
    expression: `document.querySelector("#file")`,
  });
  const objectId = /"objectId":"([^"]+)"/.exec(text)?.[1];
  await cdp.send("DOM.setFileInputFiles", { files: [file], objectId });
  await cdp.send("DOM.getFileInfo", { objectId });
  return evaluate(READ_FILE);
}

const DOWNLOAD = `(() => { const link = document.createElement("a"); link.href = "/file?" + Math.random(); link.download = "downloaded.bin"; document.body.append(link); link.click(); })()`;

/** What was planted and has been said, in whichever form. */
function leaked(): string[] {
  const said = cdp.said();
  return [SECRET, ENCODED].filter((form) => said.includes(form));
}

describe("the host's files are out of reach", () => {
  test("of DOM.setFileInputFiles and of a page that reads what it was given", async () => {
    // Of the sandbox's own files it can be made to read: what the test looks for would be seen.
    expect((await readByInput("/etc/hostname")).text).toContain('"browser');
    for (const file of files) await readByInput(file);
    expect(leaked()).toEqual([]);
  });

  test("of Input.dispatchDragEvent with files", async () => {
    for (const type of ["dragEnter", "dragOver", "drop"]) {
      const data = { items: [], files, dragOperationsMask: 1 };
      await cdp.send("Input.dispatchDragEvent", { type, x: 20, y: 20, data });
    }
    expect(leaked()).toEqual([]);
  });

  test("of file: addresses, in every method that takes an address", async () => {
    for (const file of files) {
      const url = `file://${file}`;
      await cdp.send("Page.navigate", { url });
      await evaluate("document.documentElement.outerHTML");
      await cdp.send("Page.captureSnapshot");
      await cdp.send("Page.printToPDF");
      await cdp.send("Page.getResourceTree");
      await cdp.send("Page.navigate", { url: `view-source:${url}` });
      await evaluate("document.documentElement?.outerHTML");
      await go(`${site.origin}/upload`);
      const { text } = await cdp.send("Page.getFrameTree");
      const frameId = /"id":"([0-9A-F]+)"/.exec(text)?.[1] ?? "";
      await cdp.send("Network.loadNetworkResource", {
        frameId,
        url,
        options: { disableCache: true, includeCredentials: false },
      });
      await cdp.send("Page.getResourceContent", { frameId, url });
      await evaluate(`fetch(${JSON.stringify(url)}).then((r) => r.text()).catch(String)`);
      await evaluate(
        `document.body.insertAdjacentHTML("beforeend", '<iframe src="${url}"></iframe><img src="${url}">')`,
      );
      await cdp.send("Target.createTarget", { url });
    }
    await cdp.send("Page.navigate", { url: "file:///proc/1/root/" });
    await evaluate("document.documentElement.outerHTML");
    await cdp.send("Page.navigate", { url: "file:///" });
    const root = await evaluate("document.documentElement.innerText");
    // The sandbox's own root: it can be looked at, and holds neither homes nor the state.
    expect(root.text).not.toContain(path.basename(folder));
    expect(leaked()).toEqual([]);
  });

  test("of the browser's own pages, extensions, tracing and streams", async () => {
    for (const file of files) {
      await cdp.send("Extensions.loadUnpacked", { path: path.dirname(file) });
      await cdp.send("IO.read", { handle: file });
      await cdp.send("IO.read", { handle: `file://${file}` });
      await cdp.send("Page.addScriptToEvaluateOnNewDocument", {
        source: `try { importScripts("file://${file}") } catch {}`,
      });
      await cdp.send("Tracing.start", { transferMode: "ReturnAsStream" });
      await cdp.send("Tracing.end");
    }
    for (const url of ["chrome://version", "chrome://settings", "chrome://net-export"]) {
      await cdp.send("Page.navigate", { url });
      await evaluate("document.documentElement.innerText");
    }
    await cdp.send("Browser.getBrowserCommandLine");
    await cdp.send("SystemInfo.getProcessInfo");
    expect(leaked()).toEqual([]);
  });

  test("of downloads: none is written to the host, whatever folder is named", async () => {
    const before = await listed();
    for (const downloadPath of [...places, "/home/browser", "/usr", "/opt"]) {
      for (const method of ["Browser.setDownloadBehavior", "Page.setDownloadBehavior"]) {
        await cdp.send(method, { behavior: "allow", downloadPath, eventsEnabled: true });
        await cdp.send("Runtime.evaluate", { expression: DOWNLOAD, userGesture: true });
        await evaluate("new Promise((ok) => setTimeout(ok, 300))");
      }
    }
    // They are not refused altogether: what was asked for came.
    await expect.poll(() => site.asked, patient).toContain("/file");
    await evaluate("new Promise((ok) => setTimeout(ok, 1000))");
    expect(await listed()).toEqual(before);
    expect(await readdir(homedir())).not.toContain("downloaded.bin");
  });
});

async function listed(): Promise<string[]> {
  const both = [rig.stateDir, folder].map((place) => readdir(place, { recursive: true }));
  return (await Promise.all(both)).flat().toSorted();
}
