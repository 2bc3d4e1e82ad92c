/** The packs of one generation, as they fill: what the reader finds changed, and at the end the list. */
import { hash } from "node:crypto";
import {
  LIST_ENTRY,
  PACK_TARGET_BYTES,
  type BackupRefusal,
  type CommitRequest,
  type PackId,
} from "../../protocol/backup.ts";
import { placeKey, type Seals } from "./file-list.ts";
import type { HostClient } from "./host-client.ts";
import { entryBytes, entryName, sealPack, type PackEntry } from "./pack.ts";
import type { Content } from "./reader-client.ts";

/** The Worker does not take it. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly code = "refused";
  readonly refusal: BackupRefusal;
  constructor(refusal: BackupRefusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** The key is another one than that which this generation was begun for. */
export class RekeyedError extends Error {
  override readonly name = "RekeyedError";
  readonly code = "rekeyed";
  readonly recipient: string;
  constructor(recipient: string) {
    super("the backups have another key now");
    this.recipient = recipient;
  }
}

export class Packing {
  readonly #host: HostClient;
  readonly #recipient: string | undefined;
  #number: number | undefined;
  #entries: PackEntry[] = [];
  #bytes = 0;
  /** By {@link placeKey}. */
  readonly placed = new Map<string, { pack: PackId; sha256: string }>();
  readonly seals: Seals = {};
  readonly paths = new Set<string>();
  readonly packs: CommitRequest["packs"] = [];
  /** Bytes of content. */
  brought = 0;

  constructor(host: HostClient, recipient: string | undefined) {
    this.#host = host;
    this.#recipient = recipient;
  }

  /** Of this generation, reserved when it is first needed. */
  async number(): Promise<number> {
    if (this.#number !== undefined) return this.#number;
    const reserved = await this.#host.reserve();
    if (!reserved.ok) throw new RefusedError(reserved);
    const { generation, recipient = this.#recipient } = reserved.value;
    if (recipient !== undefined && recipient !== this.#recipient) throw new RekeyedError(recipient);
    this.#number = generation;
    return generation;
  }

  /** Every pack that it brings, the one that is filling among them. */
  async own(): Promise<PackId[]> {
    const number = await this.number();
    return Array.from({ length: this.packs.length + 1 }, (_, i): PackId => `${number}.${i}`);
  }

  async take(content: Content, bytes: Buffer): Promise<void> {
    const { path, part, mode, modified, sha256 } = content;
    // The reader is the agent's process: a pack never holds what its list does not describe.
    if (hash("sha256", bytes, "hex") !== sha256) throw new Error("content with a wrong hash");
    const [name, key] = [entryName(path, part), placeKey(path, part ?? 0)];
    const size = entryBytes(name, bytes.length);
    if (this.#bytes > 0 && this.#bytes + size > PACK_TARGET_BYTES) await this.seal();
    const pack = await this.#filling();
    // A file that became shorter while it was read is read again, from its beginning.
    if (this.placed.get(key)?.pack === pack) this.#takeBack(name);
    this.#entries.push({ name, bytes, mode, modified });
    this.#bytes += size;
    this.brought += bytes.length;
    this.paths.add(path);
    this.placed.set(key, { pack, sha256 });
  }

  /** Whether a list of this size can lie in the pack that is filling. */
  hasRoomFor(text: Buffer): boolean {
    return this.#entries.length === 0 || this.#bytes + text.length <= PACK_TARGET_BYTES;
  }

  /** In front, so that a restore can begin with what follows it. @returns the pack that it lies in */
  async close(list: Buffer, modified: number): Promise<PackId> {
    this.#entries.unshift({ name: LIST_ENTRY, bytes: list, mode: 0o600, modified });
    return this.seal();
  }

  async seal(): Promise<PackId> {
    const id = await this.#filling();
    const sealed = await sealPack(this.#entries, this.#recipient);
    const stored = await this.#host.storePack(id, sealed);
    if (!stored.ok) throw new RefusedError(stored);
    this.packs.push({ id, size: sealed.bytes.byteLength, sha256: sealed.sha256 });
    if (sealed.seal !== undefined) this.seals[id] = sealed.seal;
    this.#entries = [];
    this.#bytes = 0;
    return id;
  }

  async #filling(): Promise<PackId> {
    return `${await this.number()}.${this.packs.length}`;
  }

  #takeBack(name: string): void {
    const at = this.#entries.findLastIndex((entry) => entry.name === name);
    const [former] = at < 0 ? [] : this.#entries.splice(at, 1);
    if (former === undefined) return;
    this.#bytes -= entryBytes(name, former.bytes.length);
    this.brought -= former.bytes.length;
  }
}
