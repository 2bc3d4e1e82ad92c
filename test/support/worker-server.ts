/** The Worker's app under real workerd, around a Durable Object that only records its calls. */
import { buildAdminUi } from "../../src/build/admin-ui.ts";
import { buildPaths, PROJECT_ROOT } from "../../src/build/paths.ts";
import { Miniflare, Response, convertV4MiniflareOptions } from "miniflare";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { freePort } from "../../src/local/free-port.ts";
import { BY_ITSELF, workerModule } from "./worker-module.ts";

export const TOKEN = "t0ken-of-the-gateway-for-tests-0123456789";
export const ADMIN_SECRET = "admin-secret-for-tests-0123456789abcdef";
export type Face = "Deployed" | "AgentFace" | "AdminFace" | "AccessFace" | "Control";

export interface Ask {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  cookies: string[];
  text: string;
}

const recorded = z.array(z.object({ name: z.string(), args: z.array(z.unknown()) }));
export type Recorded = z.infer<typeof recorded>;

export interface WorkerServer {
  ask(face: Face, ask: Ask): Promise<Answer>;
  /** Through another scheme and host than the socket's. */
  dispatch(url: string, init?: { headers?: Record<string, string> }): Promise<Answer>;
  /** A request that leaves the sandbox. */
  outbound(target: string, ask?: Omit<Ask, "path">): Promise<Answer>;
  /** What the Durable Object was asked since the last call. */
  calls(): Promise<Recorded>;
  /** How often something was written to the audit log so far. */
  writes(): Promise<number>;
  /** Puts the agent into another phase: the status is told with these changes, without what is null. */
  become(change: object): Promise<void>;
  /** As somebody with another client puts an object into the bucket. */
  putObject(key: string, text: string): Promise<void>;
  /** What the Worker tried to fetch from outside, with `noOutside`. */
  fetched: string[];
  address(face: Face): Promise<URL>;
  logs: string[];
  close(): Promise<void>;
}

export interface WorkerServerOptions {
  /** Fetches to outside are refused and listed. */
  noOutside?: boolean;
  /** A bucket is bound, and weeks of backups lie in it. */
  bucket?: boolean;
  /** Socket of this machine's browsers; without it no browser is bound. */
  browserSocket?: string;
  /** Answers what the Worker asks the outside world for. */
  outside?: (request: globalThis.Request) => Promise<globalThis.Response>;
}

const FACES: Face[] = ["Deployed", "AgentFace", "AdminFace", "AccessFace", "Control"];

export async function startWorkerServer(
  settings: Record<string, string> = {},
  options: WorkerServerOptions = {},
): Promise<WorkerServer> {
  const folder = await mkdtemp(path.join(tmpdir(), "worker-server-"));
  const logs: string[] = [];
  const fetched: string[] = [];
  const refuse = (request: { url: string }) => {
    fetched.push(request.url);
    return new Response(null, { status: 502 });
  };
  await writeAssets(folder);
  await writeAdminPage(folder);
  const adminPort = await freePort();
  const worker = await workerModule("worker-under-test.worker.ts");
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      ...BY_ITSELF,
      handleStructuredLogs: ({ message }) => logs.push(message),
      workers: [
        {
          name: "worker",
          ...worker,
          ...(options.outside === undefined ? {} : { outboundService: options.outside }),
          ...(options.noOutside === true ? { outboundService: refuse } : {}),
          ...(options.browserSocket === undefined
            ? {}
            : {
                serviceBindings: {
                  BROWSER: { external: { address: `unix:${options.browserSocket}`, http: {} } },
                },
              }),
          bindings: {
            MOLTBOT_GATEWAY_TOKEN: TOKEN,
            LOCAL_ADMIN_SECRET: ADMIN_SECRET,
            ADMIN_ADDRESS: `127.0.0.1:${adminPort}`,
            ...settings,
          },
          ...(options.bucket === true ? { r2Buckets: ["BACKUPS"] } : {}),
          durableObjects: {
            AGENT: { className: "Agent", useSQLite: true },
            ADMIN_CODES: { className: "AdminCodes", useSQLite: true },
          },
          assets: {
            directory: path.join(folder, "assets"),
            binding: "ASSETS",
            run_worker_first: true,
            routerConfig: { has_user_worker: true, invoke_user_worker_ahead_of_assets: true },
            assetConfig: { html_handling: "none", not_found_handling: "none" },
          },
          unsafeDirectSockets: FACES.map((entrypoint) => ({
            host: "127.0.0.1",
            port: entrypoint === "AdminFace" ? adminPort : 0,
            entrypoint,
          })),
        },
      ],
    }),
  );
  await miniflare.ready;
  const address = (face: Face): Promise<URL> => miniflare.unsafeGetDirectURL("worker", face);
  const ask = async (face: Face, request: Ask): Promise<Answer> =>
    send(await address(face), request);

  return {
    ask,
    address,
    fetched,
    logs,
    async dispatch(url, init = {}) {
      const reply = await miniflare.dispatchFetch(url, { redirect: "manual", ...init });
      return {
        status: reply.status,
        headers: Object.fromEntries(reply.headers),
        cookies: reply.headers.getSetCookie(),
        text: await reply.text(),
      };
    },
    outbound: (target, request = {}) =>
      ask("Control", {
        ...request,
        path: "/outbound",
        headers: { ...request.headers, "x-target": target },
      }),
    async calls() {
      return recorded.parse(JSON.parse((await ask("Control", { path: "/calls" })).text));
    },
    async writes() {
      return z.number().parse(JSON.parse((await ask("Control", { path: "/writes" })).text));
    },
    async become(change) {
      const body = JSON.stringify(change);
      const { status, text } = await ask("Control", { method: "POST", path: "/become", body });
      if (status !== 204) throw new Error(text);
    },
    async putObject(key, text) {
      await (await miniflare.getR2Bucket("BACKUPS", "worker")).put(key, text);
    },
    async close() {
      await miniflare.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The real page, built when its sources changed. */
async function writeAdminPage(folder: string): Promise<void> {
  const paths = buildPaths(PROJECT_ROOT);
  const built = await buildAdminUi({ ...paths, assets: path.join(folder, "assets") });
  if (!built.ok) throw new Error(built.reason);
}

async function writeAssets(folder: string): Promise<void> {
  const files = {
    "_control-ui/index.html": "<!doctype html><title>Control UI</title>",
    "_control-ui/meta.json": JSON.stringify({ scriptHashes: ["sha256-AAAA="] }),
    "assets/index-Ab12_-Zz.js": "export {};",
    "favicon.svg": "<svg/>",
    "secret.txt": "not for anybody",
  };
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, "assets", name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

/** The path goes over the wire exactly as given. */
function send(address: URL, { method = "GET", path: target, headers, body }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: address.hostname, port: address.port, method, path: target, headers, agent: false },
      (reply) => {
        const chunks: Buffer[] = [];
        reply.on("data", (chunk: Buffer) => chunks.push(chunk));
        reply.on("end", () =>
          resolve({
            status: reply.statusCode ?? 0,
            headers: Object.fromEntries(
              Object.entries(reply.headers).map(([name, value]) => [name, String(value)]),
            ),
            cookies: reply.headers["set-cookie"] ?? [],
            text: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    request.on("upgrade", (reply, socket) => {
      socket.destroy();
      resolve({ status: reply.statusCode ?? 0, headers: {}, cookies: [], text: "" });
    });
    request.on("error", reject);
    request.end(body);
  });
}
