/** The Worker's end of the backups in this process, over a bucket; the other: `backup-sandbox-side.ts`. */
import { HostClient, type HostReply } from "../../src/supervisor/backups/host-client.ts";
import { FILE_KEY_HEADER } from "../../src/protocol/backup.ts";
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
      ofLength: () => new TransformStream(),
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
        async send({ url, body, signal, ...init }) {
          const answer = async () => {
            const reply = await request(start, url, body === undefined ? init : { ...init, body });
            return hostReplyOf(reply);
          };
          return Promise.race([answer(), endOf(signal)]);
        },
      }),
  };
}

export async function hostReplyOf(reply: Response): Promise<HostReply> {
  const bytes = new Uint8Array(await reply.arrayBuffer());
  return { status: reply.status, bytes, fileKey: reply.headers.get(FILE_KEY_HEADER) ?? undefined };
}

/** As a line ends that whoever called has given up. */
function endOf(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error(String(signal.reason))), {
      once: true,
    });
  });
}
