/** The browser of this machine, from the search for a Chromium to the binding's socket. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { removeTree } from "../engine/directories.ts";
import { startChromium } from "./chromium/chromium.ts";
import { findChromium } from "./chromium/find.ts";
import { browserSandboxes } from "./chromium/sandboxes.ts";
import { createExit } from "./network/exit.ts";
import type { BrowserPolicy } from "./network/policy.ts";
import { openBrowserService } from "./service/service.ts";
import { createSessions, type Sessions } from "./service/sessions.ts";

export interface BrowserOptions {
  /** Path of a Chromium; undefined takes whatever there is. */
  chromium: string | undefined;
  stateDir: string;
  policy: BrowserPolicy;
  /** Browsers at a time. */
  most?: number;
  /** Every address of a name; the system's resolver unless given. */
  resolve?(name: string): Promise<string[]>;
}

export type OpenedBrowser =
  | {
      ok: true;
      socketPath: string;
      version: string;
      source: string;
      sessions: Sessions;
      close(): Promise<void>;
    }
  | { ok: false; reason: string };

const MOST_SESSIONS = 6;
const WATCH_MS = 1_000;
/** A unix socket's path is limited to 104 bytes on some systems. */
const LONGEST_SOCKET_PATH = 100;

export async function openLocalBrowser(options: BrowserOptions): Promise<OpenedBrowser> {
  if (process.platform !== "linux") {
    return { ok: false, reason: "the local browser needs bubblewrap, which exists on Linux only" };
  }
  const directory = path.join(options.stateDir, "browser");
  const launch = await browserSandboxes(directory);
  if (launch === undefined) {
    return { ok: false, reason: "bubblewrap is not installed (sudo apt-get install bubblewrap)" };
  }
  const search = await findChromium(options.chromium, options.stateDir);
  if (!search.ok) return { ok: false, reason: `${search.reason}. ${search.mend}` };

  const profiles = path.join(directory, "sessions");
  // A start that was killed leaves folders; their processes died with it.
  await removeTree(profiles);
  await mkdir(profiles, { recursive: true });
  const { policy, resolve, most = MOST_SESSIONS } = options;
  const exit = createExit({ policy, ...(resolve === undefined ? {} : { resolve }) });
  const sessions = createSessions({
    most,
    now: Date.now,
    watchEvery: WATCH_MS,
    start: (id) =>
      startChromium({
        launch,
        found: search.chromium,
        name: `browser-${id}`,
        directory: path.join(profiles, id),
        proxy: (socket) => exit.accept(socket),
      }),
  });
  const inside = path.join(directory, "browser.sock");
  const folder =
    Buffer.byteLength(inside) <= LONGEST_SOCKET_PATH
      ? undefined
      : await mkdtemp(path.join(tmpdir(), "moltworker-"));
  const socketPath = folder === undefined ? inside : path.join(folder, "browser.sock");
  const service = await openBrowserService(socketPath, sessions, most);
  const { version, source } = search.chromium;
  return {
    ok: true,
    socketPath,
    version,
    source,
    sessions,
    async close() {
      await service.close();
      exit.close();
      await removeTree(profiles);
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
