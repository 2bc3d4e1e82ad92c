/** Whole packs, fetched from the Worker and opened. Says apart what is damaged and what could not be read. */
import { decryptInPlace, isAgeFile, sealOf } from "../../archive/age-payload.ts";
import { TarError } from "../../archive/tar-reader.ts";
import { PACK_MAX_BYTES, type BackupRefusal, type PackId } from "../../protocol/backup.ts";
import type { Called, HostClient, StoredPack } from "./host-client.ts";
import { giveBack, Places } from "./memory.ts";
import { PackError } from "./pack.ts";
import { messageOf } from "./tree.ts";

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

const TRIES = 4;
const PAUSE_MS = 400;
const FILE_KEY_BYTES = 16;

/** A pack as it arrived. */
export interface ReadPack {
  /** Its archive. */
  compressed: Uint8Array;
  /** Of what was encrypted. */
  seal: string | undefined;
}

/** What is made of a pack, which is good until the work ends. It may be asked for again. */
export type PackWork<T> = (read: ReadPack) => Promise<T>;

interface Arrived {
  place?: Uint8Array;
  read: Called<StoredPack>;
}

export class PackReads {
  readonly #host: HostClient;
  readonly #wait: (ms: number) => Promise<void>;
  readonly #places = new Places(PACK_MAX_BYTES);
  readonly #begun = new Map<PackId, Promise<Arrived>>();

  constructor(host: HostClient, wait: (ms: number) => Promise<void>) {
    this.#host = host;
    this.#wait = wait;
  }

  /** Has it on its way before it is used. */
  begin(pack: PackId): void {
    if (!this.#begun.has(pack)) this.#begun.set(pack, this.#arrival(pack));
  }

  /**
   * Damaged only when that was found twice, apart: once may be a read gone wrong. Of what `work` throws, a
   * `PackError` or a `TarError` says that the pack is not what it should be; anything else ends it at once.
   */
  async use<T>(pack: PackId, work: PackWork<T>): Promise<T> {
    let found = 0;
    for (let i = 1; ; i++) {
      const look = await this.#look(pack, work);
      if (look.ok) return look.value;
      if (look.damaged) found++;
      if (found > 1) throw new DamagedError(look.problem, pack);
      if (i === TRIES) throw new UnreadableError("store", `pack ${pack}: ${look.problem}`);
      await this.#wait(PAUSE_MS * 2 ** (i - 1));
    }
  }

  async close(): Promise<void> {
    for (const { place } of await Promise.all(this.#begun.values())) this.#free(place);
    this.#begun.clear();
    this.#places.close();
  }

  async #arrival(pack: PackId): Promise<Arrived> {
    try {
      const place = this.#places.take();
      return { place, read: await this.#host.readPack(pack, place) };
    } catch (error) {
      return { read: { ok: false, reason: "store", message: messageOf(error) } };
    }
  }

  #free(place: Uint8Array | undefined): void {
    if (place !== undefined) this.#places.free(place);
  }

  async #look<T>(pack: PackId, work: PackWork<T>): Promise<Look<T>> {
    const host = this.#host;
    const read = await this.#read(pack, work);
    if (read.ok) return read;
    if (read.refusal !== undefined) {
      if (isDamage(read.refusal.reason)) return { ok: false, damaged: true, problem: read.problem };
      refuseUnlessStore(read.refusal);
    }
    const { problem } = read;
    // Cut short on the way, or so in the bucket? Only the Worker can tell, which decrypts all of it.
    const check = await host.checkPack(pack);
    if (check.ok) return { ok: false, damaged: read.decrypted, problem };
    if (isDamage(check.reason)) return { ok: false, damaged: true, problem: check.message };
    refuseUnlessStore(check);
    return { ok: false, damaged: false, problem: check.message };
  }

  async #read<T>(pack: PackId, work: PackWork<T>): Promise<Read<T>> {
    const arrival = this.#begun.get(pack) ?? this.#arrival(pack);
    this.#begun.delete(pack);
    const { place, read } = await arrival;
    if (!read.ok) {
      this.#free(place);
      return { ok: false, decrypted: false, problem: read.message, refusal: read };
    }
    let pieces: ReadPack;
    try {
      pieces = decrypted(read.value);
    } catch (error) {
      this.#free(place);
      if (error instanceof UnreadableError) throw error;
      return { ok: false, decrypted: false, problem: messageOf(error) };
    }
    try {
      const value = await work(pieces);
      this.#free(place);
      return { ok: true, value };
    } catch (error) {
      // Another thread may still be unpacking what lies in the place: that one is left to the runtime.
      if (error instanceof PackError || error instanceof TarError) {
        return { ok: false, decrypted: true, problem: error.message };
      }
      throw error;
    }
  }
}

type Look<T> = { ok: true; value: T } | { ok: false; damaged: boolean; problem: string };

type Read<T> =
  | { ok: true; value: T }
  /** Without a refusal it arrived, and did not decrypt, or is not what it should be. */
  | { ok: false; decrypted: boolean; problem: string; refusal?: BackupRefusal };

function decrypted({ bytes, fileKey }: StoredPack): ReadPack {
  if (fileKey === undefined) {
    // It may be in the best of health.
    if (isAgeFile(bytes)) throw withoutKey();
    return { compressed: bytes, seal: undefined };
  }
  if (fileKey.length !== FILE_KEY_BYTES) throw withoutKey();
  const seal = sealOf(bytes);
  return { compressed: decryptInPlace(fileKey, bytes, giveBack), seal };
}

function withoutKey(): UnreadableError {
  return new UnreadableError("store", "an encrypted pack came without its key");
}

function isDamage(reason: string): boolean {
  return reason === "missing" || reason === "corrupt";
}

function refuseUnlessStore(refusal: { reason: string; message: string }): void {
  if (refusal.reason !== "store") throw new UnreadableError(refusal.reason, refusal.message);
}
