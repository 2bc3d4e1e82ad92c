/** The supervisor's end of the backups in this process, over a folder of its own. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll } from "vitest";
import type { BackupSettings } from "../../src/protocol/backup.ts";
import { roomAt } from "../../src/supervisor/backups/drill-room.ts";
import type { HostClient } from "../../src/supervisor/backups/host-client.ts";
import { readFrames, writeFrame } from "../../src/supervisor/backups/frames.ts";
import { readerCommand, type ReaderCommand } from "../../src/supervisor/backups/messages.ts";
import type { ReaderProcess } from "../../src/supervisor/backups/reader-client.ts";
import { runStateReader } from "../../src/supervisor/backups/reader.ts";
import { StateBackups } from "../../src/supervisor/backups/state-backups.ts";
import { noWait, type WorkerSide } from "./backup-rig.ts";

/** The reader in this process, over two pipes. */
export function readerHere(): Promise<ReaderProcess> {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  void runStateReader(stdin, stdout).finally(() => stdout.end());
  return Promise.resolve({ stdin, stdout, end: () => void stdin.end() });
}

/** The same, gone as soon as it is told to do this: killed, or out of memory. */
export function readerGoneAt(command: ReaderCommand["do"]): Promise<ReaderProcess> {
  const [stdin, inner, stdout] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const pass = async () => {
    for await (const frame of readFrames(stdin)) {
      if ("json" in frame && readerCommand.parse(frame.json).do === command) break;
      await writeFrame(inner, frame);
    }
    stdout.end();
  };
  void pass();
  void runStateReader(inner, stdout);
  return Promise.resolve({ stdin, stdout, end: () => void stdin.end() });
}

export interface SandboxSide {
  home: string;
  state: string;
  backups: StateBackups;
  /** Takes the folder away, as the loss of a sandbox does. */
  lose(): void;
}

/** Those that no test takes away go when the file's tests are over. */
const homes: string[] = [];
afterAll(() => {
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
});

function makeHome(): string {
  const home = mkdtempSync(join(tmpdir(), "backup-home-"));
  homes.push(home);
  return home;
}

export function sandboxSide(
  host: HostClient,
  settings: Partial<BackupSettings> = {},
  home = makeHome(),
  room: (folder: string) => number = roomAt,
  openReader: () => Promise<ReaderProcess> = readerHere,
): SandboxSide {
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const backups = new StateBackups({
    agentId: "main",
    home,
    settings: { intervalMs: 0, ...settings },
    host,
    openReader,
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
    openReader?: () => Promise<ReaderProcess>;
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
    options.openReader,
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
