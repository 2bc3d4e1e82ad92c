/** Both ends of the backups in one process: the Worker's over a bucket, the supervisor's over a folder. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { BackupSettings } from "../../src/protocol/backup.ts";
import { roomAt } from "../../src/supervisor/backups/drill-room.ts";
import { HostClient } from "../../src/supervisor/backups/host-client.ts";
import type { ReaderProcess } from "../../src/supervisor/backups/reader-client.ts";
import { runStateReader } from "../../src/supervisor/backups/reader.ts";
import { StateBackups } from "../../src/supervisor/backups/state-backups.ts";
import { Backups } from "../../src/worker/backups/backups.ts";
import { DEFAULT_BOUNDS, type Bounds } from "../../src/worker/backups/bounds.ts";
import type { BackupBucket } from "../../src/worker/backups/bucket.ts";
import { backupKeys, type BackupKeys } from "../../src/worker/backups/cipher.ts";
import { answerBackupCall } from "../../src/worker/backups/host.ts";
import type { Notebook } from "../../src/worker/backups/memory.ts";
import { DEFAULT_RETENTION, type RetentionPolicy } from "../../src/worker/backups/retention.ts";

export function notebook(): Notebook {
  const pages = new Map<string, string>();
  return {
    read: (name) => pages.get(name),
    write: (name, value) => void pages.set(name, value),
  };
}

export interface WorkerSideOptions {
  identities?: readonly string[];
  bounds?: Bounds;
  retention?: RetentionPolicy;
  now?: () => number;
  notes?: Notebook;
  /** The least time between two writes of the manifest, and how it is waited for. */
  writes?: { intervalMs: number; wait: (ms: number) => Promise<void> };
}

export interface WorkerSide {
  backups: Backups;
  bucket: BackupBucket;
  keys: BackupKeys | undefined;
  /** What the sandbox of one start reaches under the backup name. */
  host(start: number, token?: string): HostClient;
  /** The same, as plain requests. */
  request(start: number, url: string, init: RequestInit): Promise<Response>;
}

export const TOKEN = "control-token-of-this-test-0123456789abcdef";
export const noWait = (): Promise<void> => Promise.resolve();

export async function workerSide(
  bucket: BackupBucket,
  options: WorkerSideOptions = {},
): Promise<WorkerSide> {
  const keys = await backupKeys(options.identities ?? []);
  const backups = new Backups({
    agentId: "main",
    bucket,
    notebook: options.notes ?? notebook(),
    keys: async () => keys,
    bounds: options.bounds ?? DEFAULT_BOUNDS,
    retention: options.retention ?? DEFAULT_RETENTION,
    now: options.now ?? Date.now,
    wait: options.writes?.wait ?? noWait,
    writeIntervalMs: options.writes?.intervalMs ?? 0,
    changed: () => undefined,
  });
  const request = (start: number, url: string, init: RequestInit) =>
    answerBackupCall(new Request(url, { ...init, ...(init.body ? { duplex: "half" } : {}) }), {
      startGeneration: start,
      bucket,
      keys: async () => keys,
      agent: {
        backup: async (caller, call) =>
          caller.token === TOKEN
            ? backups.answer(caller.startGeneration, call)
            : { ok: false, reason: "unauthorised", message: "not the token" },
      },
      fixLength: (body) => body,
    });
  return {
    backups,
    bucket,
    keys,
    request,
    host: (start, token = TOKEN) =>
      new HostClient({
        token,
        wait: noWait,
        async send({ url, body, ...init }) {
          const reply = await request(start, url, body === undefined ? init : { ...init, body });
          return { status: reply.status, bytes: new Uint8Array(await reply.arrayBuffer()) };
        },
      }),
  };
}

/** The reader in this process, over two pipes. */
export function readerHere(): Promise<ReaderProcess> {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  void runStateReader(stdin, stdout).finally(() => stdout.end());
  return Promise.resolve({ stdin, stdout, end: () => void stdin.end() });
}

export interface SandboxSide {
  home: string;
  state: string;
  backups: StateBackups;
  /** Takes the folder away, as the loss of a sandbox does. */
  lose(): void;
}

export function sandboxSide(
  host: HostClient,
  settings: Partial<BackupSettings> = {},
  home = mkdtempSync(join(tmpdir(), "backup-home-")),
  room: (folder: string) => number = roomAt,
): SandboxSide {
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const backups = new StateBackups({
    agentId: "main",
    home,
    settings: { intervalMs: 0, ...settings },
    host,
    openReader: readerHere,
    give: () => undefined,
    room,
    log: silent,
    now: Date.now,
    wait: noWait,
    seal: () => () => undefined,
    onChange: () => undefined,
  });
  return {
    home,
    state: join(home, ".openclaw"),
    backups,
    lose() {
      backups.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** One sandbox's life from claim to restored; throws when the restore fails. */
export async function startSandboxSide(
  worker: WorkerSide,
  start: number,
  options: {
    reach?: (start: number) => HostClient;
    home?: string;
    room?: (folder: string) => number;
  } = {},
): Promise<SandboxSide> {
  const reach = options.reach ?? ((n: number) => worker.host(n));
  const claimed = await worker.backups.claim(start);
  if (!claimed.ok) throw new Error(`${claimed.reason}: ${claimed.message}`);
  const recipient = worker.keys?.recipient;
  const settings: Partial<BackupSettings> = {
    ...(recipient === undefined ? {} : { recipient }),
    ...(claimed.value.rewrite ? { rewrite: true } : {}),
  };
  const side = sandboxSide(
    forwarding(() => reach(start)),
    settings,
    options.home,
    options.room,
  );
  const restored = await side.backups.restore();
  if (restored.outcome === "failed") {
    side.lose();
    throw new Error(`${restored.reason}: ${restored.message}`);
  }
  mkdirSync(side.state, { recursive: true, mode: 0o700 });
  return side;
}

/** Asks for the host at every call, so that what lies behind it can be exchanged. */
function forwarding(host: () => HostClient): HostClient {
  return new Proxy(host(), {
    get(_target, name) {
      const present = host();
      const value: unknown = Reflect.get(present, name);
      return typeof value === "function" ? value.bind(present) : value;
    },
  });
}
