/**
 * One generation as the archive that any install of the gateway takes: a gzipped tar of `.openclaw`.
 * Streams with memory for two packs. Fails closed: content that is not what the list says breaks the
 * download off, and an archive that broke off does not unpack to its end.
 */
import { createHash } from "node:crypto";
import { createGzip, createZstdDecompress } from "node:zlib";
import { readTar } from "../../archive/tar-reader.ts";
import { TAR_END, tarHeader, tarPadding } from "../../archive/tar-writer.ts";
import {
  fileList,
  LIST_ENTRY,
  PARTS_PREFIX,
  STATE_FOLDER,
  type FileList,
  type ListedFile,
  type PackId,
  type RestorePlan,
} from "../../protocol/backup.ts";
import { readBody, type BackupBucket } from "./bucket.ts";
import { opened, type BackupKeys } from "./cipher.ts";
import { packKey } from "./keys.ts";
import { refuse, type Answer } from "./ledger.ts";
import { beginDownload, type Download } from "./one-download.ts";
import { streamOf, transformed } from "./streams.ts";

export interface ExportParts {
  agentId: string;
  bucket: BackupBucket;
  keys: BackupKeys | undefined;
}

/** `busy`: another one is under way. */
export type Exported =
  | Answer<ReadableStream<Uint8Array>>
  | { ok: false; reason: "busy"; message: string };

const BUSY = "Another backup is being downloaded; try again when it is over.";

export type ExportPlan = Extract<RestorePlan, { outcome: "restore" }>;
type Entries = Map<string, Uint8Array>;

/** A pack's content, and in the last one the list. */
const MAX_UNPACKED = 40 * 1024 ** 2;
const PACKS_HELD = 2;
/** Written from this deployment's settings at each start, of no use elsewhere. */
const OWN_CONFIG = new RegExp(`^\\${STATE_FOLDER}/openclaw\\.json$`);

export async function exportArchive(plan: ExportPlan, parts: ExportParts): Promise<Exported> {
  const download = beginDownload(Date.now);
  if (download === undefined) return { ok: false, reason: "busy", message: BUSY };
  const begun = await begin(plan, parts, download).catch((error: unknown) =>
    refuse("store", `generation ${plan.generation}: ${String(error)}`.slice(0, 500)),
  );
  if (!begun.ok) download.end();
  return begun;
}

async function begin(
  plan: ExportPlan,
  parts: ExportParts,
  download: Download,
): Promise<Answer<ReadableStream<Uint8Array>>> {
  const packs = new PackReader(parts);
  const text = await packs.take(plan.listPack, LIST_ENTRY);
  if (text === undefined || sha256(text) !== plan.listSha256) {
    return refuse("corrupt", "the file list is not what was committed");
  }
  const list = fileList.parse(JSON.parse(new TextDecoder().decode(text)));
  const bytes = transformed(archive(list, packs), createGzip());
  return { ok: true, value: streamOf(download.pass(bytes)) };
}

async function* archive(
  list: FileList,
  packs: PackReader,
): AsyncGenerator<Uint8Array, void, undefined> {
  const modified = list.at / 1000;
  for (const { path, mode } of list.folders.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    yield tarHeader({ path, type: "folder", size: 0, mode, modified });
  }
  const files = list.files.filter((file) => !OWN_CONFIG.test(file.path));
  for (const file of inPackOrder(files)) {
    const { path, size, mode } = file;
    yield tarHeader({ path, type: "file", size, mode, modified: file.modified / 1000 });
    for (const piece of piecesOf(file, list.packs)) {
      const bytes = await packs.take(piece.pack, piece.entry);
      if (bytes === undefined || sha256(bytes) !== piece.sha256) {
        throw new Error(`${piece.entry} is not what was committed`);
      }
      yield bytes;
    }
    yield tarPadding(size);
  }
  for (const { path, target } of list.links) {
    yield tarHeader({ path, type: "link", size: 0, mode: 0o777, modified, target });
  }
  yield TAR_END;
}

/** So that each pack is read once, as far as large files allow. */
function inPackOrder(files: readonly ListedFile[]): ListedFile[] {
  const first = (file: ListedFile) => ("parts" in file ? Number.MAX_SAFE_INTEGER : file.pack);
  return files.toSorted((a, b) => first(a) - first(b));
}

function piecesOf(file: ListedFile, packs: readonly PackId[]) {
  if (!("parts" in file)) {
    return [{ entry: file.path, sha256: file.sha256, pack: packs[file.pack] ?? "" }];
  }
  return file.parts.map(([digest, pack], i) => ({
    entry: `${PARTS_PREFIX}${file.path}/${String(i).padStart(8, "0")}`,
    sha256: digest,
    pack: packs[pack] ?? "",
  }));
}

class PackReader {
  readonly #parts: ExportParts;
  /** The one used last stands last. */
  readonly #held = new Map<PackId, Entries>();

  constructor(parts: ExportParts) {
    this.#parts = parts;
  }

  /** Every entry is wanted once, and is let go of with that. */
  async take(pack: PackId, entry: string): Promise<Uint8Array | undefined> {
    const entries = await this.#open(pack);
    const bytes = entries.get(entry);
    entries.delete(entry);
    return bytes;
  }

  async #open(pack: PackId): Promise<Entries> {
    const held = this.#held.get(pack);
    this.#held.delete(pack);
    if (held === undefined && this.#held.size >= PACKS_HELD) {
      const [oldest = ""] = this.#held.keys();
      this.#held.delete(oldest);
    }
    const entries = held ?? (await this.#read(pack));
    this.#held.set(pack, entries);
    return entries;
  }

  async #read(pack: PackId): Promise<Entries> {
    const { agentId, bucket, keys } = this.#parts;
    const found = await readBody(bucket, packKey(agentId, pack));
    if (!found.ok) throw new Error(found.message);
    if (found.value === undefined) throw new Error(`pack ${pack} is not in the bucket`);
    const body = await opened(found.value.body, keys);
    if (!body.ok) throw new Error(`pack ${pack}: ${body.message}`);
    return entriesOf(transformed(body.body, createZstdDecompress()));
  }
}

async function entriesOf(unpacked: AsyncGenerator<Uint8Array, void, undefined>): Promise<Entries> {
  const entries: Entries = new Map();
  const tar = atMost(MAX_UNPACKED, unpacked);
  try {
    for await (const entry of readTar(tar)) {
      if (entry.size > MAX_UNPACKED) throw new Error(`${entry.path} is larger than a pack`);
      const bytes = new Uint8Array(entry.size);
      let at = 0;
      for await (const chunk of entry.body()) {
        bytes.set(chunk, at);
        at += chunk.byteLength;
      }
      entries.set(entry.path, bytes);
    }
    // To its end, where decrypting finds whether it is one.
    for await (const _ of tar);
    return entries;
  } finally {
    await tar.return();
  }
}

async function* atMost(
  most: number,
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = most;
  for await (const bytes of source) {
    left -= bytes.byteLength;
    if (left < 0) throw new Error(`more than ${most} bytes`);
    yield bytes;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
