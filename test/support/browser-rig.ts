/** The CDP proxy under real workerd, over this machine's Chromium in its sandbox. */
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openLocalBrowser } from "../../src/local/browser/open.ts";
import type { Sessions } from "../../src/local/browser/service/sessions.ts";
import { browserOverview, type BrowserOverview } from "../../src/protocol/browser.ts";
import { parsePattern } from "../../src/worker/egress/pattern.ts";
import { chromiumPath } from "./chromium.ts";
import { BY_ITSELF, workerModule } from "./worker-module.ts";

export const CDP_SECRET = "cdp-secret-for-tests-0123456789abcdef";
export const SECRET_HEADERS = { Authorization: `Bearer ${CDP_SECRET}` };

export interface BrowserRig {
  /** Origin of the agent's port; the proxy is at `/cdp`. */
  outside: string;
  /** Origin that answers as `browser.moltworker.internal` does in the sandbox. */
  inside: string;
  stateDir: string;
  /** Of this machine's browsers: what stands behind the binding. */
  sessions: Sessions;
  socketPath: string;
  logs: string[];
  overview(): Promise<BrowserOverview>;
  release(id: string): Promise<unknown>;
  /** What happens when the agent's sandbox is gone. */
  agentStopped(): Promise<void>;
  /** Moves the room's clock. */
  later(ms: number): Promise<void>;
  /** What the doors told the audit log since the last call. */
  denied(): Promise<unknown>;
  close(): Promise<void>;
}

export interface BrowserRigOptions {
  /** `BROWSER_PRIVATE`, `BROWSER_ALLOW` and `BROWSER_DENY`, one pattern each. */
  private?: string[];
  allow?: string[];
  deny?: string[];
  settings?: Record<string, string>;
  /** How long the room waits for a place at the service. */
  waitMs?: number;
  /** Browsers that this machine runs at a time. */
  most?: number;
  resolve?(name: string): Promise<string[]>;
}

const FACES = ["Outside", "Inside", "Control"] as const;

export async function startBrowserRig(options: BrowserRigOptions = {}): Promise<BrowserRig> {
  const folder = await mkdtemp(path.join(tmpdir(), "browser-rig-"));
  await chmod(folder, 0o755);
  const patterns = (texts: string[] = []) =>
    texts.map((text) => {
      const parsed = parsePattern(text);
      if (!parsed.ok) throw new Error(text);
      return parsed.pattern;
    });
  const browser = await openLocalBrowser({
    chromium: await chromiumPath(),
    stateDir: folder,
    ...(options.most === undefined ? {} : { most: options.most }),
    ...(options.resolve === undefined ? {} : { resolve: options.resolve }),
    policy: {
      allow: patterns(options.allow),
      deny: patterns(options.deny),
      private: patterns(options.private),
    },
  });
  if (!browser.ok) throw new Error(browser.reason);
  const worker = await workerModule("browser.worker.ts");
  const logs: string[] = [];
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...BY_ITSELF,
      handleStructuredLogs: ({ message }) => logs.push(message),
      workers: [
        {
          name: "worker",
          ...worker,
          bindings: {
            MOLTBOT_GATEWAY_TOKEN: "t0ken-of-the-gateway-for-tests-0123456789",
            CDP_SECRET,
            WAIT_MS: String(options.waitMs ?? 200),
            ...options.settings,
          },
          serviceBindings: {
            BROWSER: { external: { address: `unix:${browser.socketPath}`, http: {} } },
          },
          durableObjects: { AGENT: { className: "Agent", useSQLite: true } },
          unsafeDirectSockets: FACES.map((entrypoint) => ({
            host: "127.0.0.1",
            port: 0,
            entrypoint,
          })),
        },
      ],
    }),
  );
  await miniflare.ready;
  const [outside, inside, control] = await Promise.all(
    FACES.map(async (face) => (await miniflare.unsafeGetDirectURL("worker", face)).origin),
  );
  if (outside === undefined || inside === undefined) throw new Error("a face has no address");
  const ask = async (what: string): Promise<unknown> => (await fetch(`${control}${what}`)).json();
  return {
    outside,
    inside,
    stateDir: folder,
    sessions: browser.sessions,
    socketPath: browser.socketPath,
    logs,
    overview: async () => browserOverview.parse(await ask("/overview")),
    release: (id) => ask(`/release?id=${id}`),
    async agentStopped() {
      await ask("/stopped");
    },
    async later(ms) {
      await ask(`/later?ms=${ms}`);
    },
    denied: () => ask("/denied"),
    async close() {
      await miniflare.dispose();
      await browser.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
