/** Whole packs, fetched from the Worker and opened. Says apart what is damaged and what could not be read. */
import { PACK_MAX_BYTES, type BackupRefusal, type PackId } from "../../protocol/backup.ts";
import type { HostClient } from "./host-client.ts";
import { Places } from "./memory.ts";
import { openPack, type OpenedPack } from "./pack.ts";

/** It was read, and is wrong: an older generation may be whole. */
export class DamagedError extends Error {
  override readonly name = "DamagedError";
  readonly code = "damaged";
  readonly pack: PackId | undefined;
  constructor(problem: string, pack?: PackId) {
    super(problem);
    this.pack = pack;
  }
}

/** It could not be read, which says nothing about what is stored. */
export class UnreadableError extends Error {
  override readonly name = "UnreadableError";
  readonly code = "unreadable";
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Decrypted, a pack is smaller than it is stored. */
const PLACE_BYTES = PACK_MAX_BYTES;
const TRIES = 4;
const PAUSE_MS = 400;

export class PackReads {
  readonly #host: HostClient;
  readonly #wait: (ms: number) => Promise<void>;
  readonly #places = new Places(PLACE_BYTES);

  constructor(host: HostClient, wait: (ms: number) => Promise<void>) {
    this.#host = host;
    this.#wait = wait;
  }

  /** Damaged only when that was found twice, apart: once may be a read gone wrong. */
  async fetch(pack: PackId): Promise<OpenedPack> {
    let found = 0;
    for (let i = 1; ; i++) {
      const look = await this.#look(pack);
      if (look.ok) return look.opened;
      if (look.damaged) found++;
      if (found > 1) throw new DamagedError(look.problem, pack);
      if (i === TRIES) throw new UnreadableError("store", `pack ${pack}: ${look.problem}`);
      await this.#wait(PAUSE_MS * 2 ** (i - 1));
    }
  }

  close(): void {
    this.#places.close();
  }

  async #look(pack: PackId): Promise<Look> {
    const host = this.#host;
    const read = await this.#places.use((place) => readAndOpen(pack, host, place));
    if (read.ok) return read;
    if (read.refusal !== undefined) {
      if (isDamage(read.refusal.reason)) return { ok: false, damaged: true, problem: read.problem };
      refuseUnlessStore(read.refusal);
    }
    const { problem } = read;
    // Cut short on the way, or so in the bucket? Only the Worker can tell.
    const check = await host.checkPack(pack);
    if (check.ok) return { ok: false, damaged: read.refusal === undefined, problem };
    if (isDamage(check.reason)) return { ok: false, damaged: true, problem: check.message };
    refuseUnlessStore(check);
    return { ok: false, damaged: false, problem: check.message };
  }
}

type Look = { ok: true; opened: OpenedPack } | { ok: false; damaged: boolean; problem: string };

type Read =
  | { ok: true; opened: OpenedPack }
  /** Without a refusal it arrived, and could not be opened. */
  | { ok: false; problem: string; refusal?: BackupRefusal };

async function readAndOpen(pack: PackId, host: HostClient, place: Uint8Array): Promise<Read> {
  const read = await host.readPack(pack, place);
  if (!read.ok) return { ok: false, problem: read.message, refusal: read };
  try {
    return { ok: true, opened: await openPack(read.value) };
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
}

function isDamage(reason: string): boolean {
  return reason === "missing" || reason === "corrupt";
}

function refuseUnlessStore(refusal: { reason: string; message: string }): void {
  if (refusal.reason !== "store") throw new UnreadableError(refusal.reason, refusal.message);
}
