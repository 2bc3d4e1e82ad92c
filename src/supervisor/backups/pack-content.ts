/** What a state wants of a pack, from the pack into the state. Nothing of it goes unchecked. */
import { createHash } from "node:crypto";
import { readTar, type TarEntry } from "../../archive/tar-reader.ts";
import { LIST_ENTRY, type PackId } from "../../protocol/backup.ts";
import type { Seals } from "./file-list.ts";
import { PackError, unpacked } from "./pack.ts";
import { UnreadableError, type ReadPack } from "./pack-reads.ts";
import type { Content, StateWriter, Wanted } from "./state-writer.ts";
import { messageOf } from "./tree.ts";

/**
 * Written as it is unpacked: what is found to be wrong in the end is there, then. A pack with the seal that the
 * list has of it is what was committed, or it would not have opened; where the list has none, or
 * `everything` is asked for, each entry is hashed.
 */
export async function takePack(
  writer: StateWriter,
  pack: PackId,
  { compressed, seal }: ReadPack,
  { seals, everything }: { seals: Seals | undefined; everything: boolean },
): Promise<void> {
  const listed = seals?.[pack];
  // Without one it may have been decrypted on the way, and is hashed.
  if (listed !== undefined && seal !== undefined && listed !== seal) {
    throw new PackError("it is another pack than the one that was committed");
  }
  const taking = new Taking(compressed);
  try {
    const sealed = listed !== undefined && listed === seal;
    await taking.take(writer, pack, everything || !sealed);
  } finally {
    await taking.end();
  }
}

/**
 * The pack that the list lies in, whose entries are all hashed.
 *
 * @param begin is given the list, or nothing where there is none; what it throws ends the work
 */
export async function takeListPack(
  pack: PackId,
  { compressed }: ReadPack,
  begin: (list: Uint8Array | undefined) => StateWriter,
): Promise<void> {
  const taking = new Taking(compressed);
  try {
    const first = await taking.entries.next();
    if (!first.done && first.value.path === LIST_ENTRY) {
      const list = await contentOf(first.value);
      return await taking.take(begin(list), pack, true);
    }
    const writer = begin(await taking.find(LIST_ENTRY));
    const seals = undefined;
    await takePack(writer, pack, { compressed, seal: undefined }, { seals, everything: true });
  } finally {
    await taking.end();
  }
}

/** The list alone. */
export async function listIn({ compressed }: ReadPack): Promise<Uint8Array | undefined> {
  const taking = new Taking(compressed);
  try {
    return await taking.find(LIST_ENTRY);
  } finally {
    await taking.end();
  }
}

/** One pass through a pack. */
class Taking {
  readonly #source: AsyncGenerator<Uint8Array, void, undefined>;
  readonly entries: AsyncGenerator<TarEntry, void, undefined>;
  #writer: StateWriter | undefined;
  #content: Content[] = [];

  constructor(compressed: Uint8Array) {
    this.#source = this.#written(compressed);
    this.entries = readTar(this.#source);
  }

  async *#written(compressed: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of unpacked(compressed)) {
      yield piece;
      // All that is in it is taken by now, and its memory goes with the next one.
      await this.#write();
    }
  }

  /** Of a name that is there twice the last one counts, as it does for everybody who unpacks an archive. */
  async take(writer: StateWriter, pack: PackId, hashed: boolean): Promise<void> {
    this.#writer = writer;
    const wanted = new Map(writer.wantedFrom(pack).map((one) => [one.entry, one]));
    const problems = new Map<string, string>();
    for (const entry of wanted.keys()) problems.set(entry, "is not in its pack");
    for await (const entry of this.entries) {
      const one = entry.type === "file" ? wanted.get(entry.path) : undefined;
      if (one === undefined) continue;
      if (entry.size !== one.size) {
        problems.set(entry.path, "has another size than listed");
        continue;
      }
      const digest = await this.#takeEntry(entry, one, hashed);
      if (!hashed || digest === one.sha256) problems.delete(entry.path);
      else problems.set(entry.path, "has another hash than listed");
    }
    await this.#toTheEnd();
    const [first] = problems;
    if (first !== undefined) throw new PackError(`${first[0]} ${first[1]}`);
  }

  /** Its hash, when that is asked for. */
  async #takeEntry(entry: TarEntry, wanted: Wanted, hashed: boolean): Promise<string | undefined> {
    const digest = hashed ? createHash("sha256") : undefined;
    if (wanted.size === 0) this.#content.push({ wanted, at: 0, bytes: new Uint8Array(0) });
    let at = 0;
    for await (const bytes of entry.body()) {
      digest?.update(bytes);
      this.#content.push({ wanted, at, bytes });
      at += bytes.length;
    }
    return digest?.digest("hex");
  }

  async find(name: string): Promise<Uint8Array | undefined> {
    let found: Uint8Array | undefined;
    for await (const entry of this.entries) {
      if (entry.type === "file" && entry.path === name) found = await contentOf(entry);
    }
    await this.#toTheEnd();
    return found;
  }

  /** Where unpacking finds whether it is one. */
  async #toTheEnd(): Promise<void> {
    for await (const _ of this.#source);
  }

  async end(): Promise<void> {
    await this.#source.return();
  }

  /** What cannot be written says nothing about the pack. */
  async #write(): Promise<void> {
    try {
      await this.#writer?.write(this.#content);
    } catch (error) {
      throw new UnreadableError("io", messageOf(error));
    }
    this.#content = [];
  }
}

/** In memory of its own: that of the pieces is gone with them. */
async function contentOf(entry: TarEntry): Promise<Uint8Array> {
  const slices: Buffer[] = [];
  for await (const slice of entry.body()) slices.push(Buffer.from(slice));
  return Buffer.concat(slices);
}
