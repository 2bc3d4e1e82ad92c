/** The Worker's side of the backups in a real workerd, with its bucket on the disk. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { z } from "zod";
import { TOKEN } from "./backup-rig.ts";
import { withNewChild } from "./new-child.ts";
import { BY_ITSELF, workerModule } from "./worker-module.ts";

export interface BackupRuntime {
  /** What a sandbox reaches under the backup name. */
  origin: string;
  /** The runtime's process id. */
  pid: number;
  /** Of the Worker's isolate, its Durable Object's too, and of the one that plays R2. */
  inspectors: { worker: URL; bucket: URL };
  claim(start: number): Promise<void>;
  /** Calls of the bucket so far, and what lies in it. */
  used(): Promise<Used>;
  /** The newest generation as the archive that an admin downloads. */
  exported(): Promise<ReadableStream<Uint8Array>>;
  /** How many packs were read for archives so far. */
  packsExported(): Promise<number>;
  close(): Promise<void>;
}

const used = z.object({
  calls: z.record(z.string(), z.number()),
  storedBytes: z.number(),
});
export type Used = z.infer<typeof used>;

const NAME = "backups";

/** @param identity what the backups are encrypted to */
export async function startBackupRuntime(identity: string): Promise<BackupRuntime> {
  const folder = await mkdtemp(path.join(tmpdir(), "backup-runtime-"));
  const worker = await workerModule("backup-runtime.worker.ts");
  const options = convertV4MiniflareOptions({
    host: "127.0.0.1",
    ...{ port: 0, inspectorPort: 0 },
    ...BY_ITSELF,
    logRequests: false,
    resourcePersistencePath: folder,
    workers: [
      {
        name: NAME,
        ...worker,
        bindings: {
          BACKUP_KEY: identity,
          CONTROL_TOKEN: TOKEN,
          MOLTBOT_GATEWAY_TOKEN: "t0ken-of-the-gateway-for-tests-0123456789",
        },
        durableObjects: { AGENT: { className: "Agent", useSQLite: true } },
        r2Buckets: { BACKUPS: "moltbot-data" },
        // Calls of a sandbox do not pass Miniflare's own entry Worker either.
        unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      },
    ],
  });
  const { value: miniflare, pid } = await withNewChild(async () => {
    const started = new Miniflare(options);
    await started.ready;
    return started;
  });
  const inspector = await miniflare.getInspectorURL();
  const { origin } = await miniflare.unsafeGetDirectURL(NAME);
  return {
    origin,
    pid: pid(),
    inspectors: {
      worker: new URL(`/core:user:${NAME}`, inspector),
      bucket: new URL("/r2:bucket", inspector),
    },
    async claim(start) {
      const reply = await fetch(`${origin}/__claim/${start}`, { method: "POST" });
      if (!reply.ok) throw new Error(await reply.text());
    },
    used: async () => used.parse(await (await fetch(`${origin}/__used`)).json()),
    async exported() {
      const reply = await fetch(`${origin}/__export`);
      if (!reply.ok || reply.body === null) throw new Error(await reply.text());
      return reply.body;
    },
    async packsExported() {
      return z.number().parse(await (await fetch(`${origin}/__exported`)).json());
    },
    async close() {
      await miniflare.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
