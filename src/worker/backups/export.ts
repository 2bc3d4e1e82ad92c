/**
 * One generation as the archive that any install of the gateway takes: a gzipped tar of `.openclaw`.
 * Streams with memory for two packs. Fails closed: content that is not what the list says breaks the
 * download off, and an archive that broke off does not unpack to its end.
 */
import { createHash } from "node:crypto";
import { createGzip } from "node:zlib";
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
import { BY_HAND, PackReader, type ExportParts } from "./export-packs.ts";
import { refuse, type Answer } from "./ledger.ts";
import { beginDownload, type Download } from "./one-download.ts";
import { streamOf, transformed } from "./streams.ts";

/** `busy`: another one is under way. */
export type Exported =
  | Answer<ReadableStream<Uint8Array>>
  | { ok: false; reason: "busy"; message: string };

const BUSY = "Another backup is being downloaded; try again when it is over.";

export type ExportPlan = Extract<RestorePlan, { outcome: "restore" }>;
type WholeFile = Exclude<ListedFile, { parts: unknown }>;
type FileInParts = Extract<ListedFile, { parts: unknown }>;

/** In bytes. As text and as what it says it takes several times as much, and all of it at once. */
const MOST_LISTED = 24 * 1024 ** 2;
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
  const text = await listOf(plan, packs);
  if (text === undefined) return refuse("corrupt", "the file list is not what was committed");
  const list = fileList.parse(JSON.parse(new TextDecoder().decode(text)));
  const bytes = transformed(archive(list, packs), createGzip());
  return { ok: true, value: streamOf(download.pass(bytes)) };
}

async function listOf(plan: ExportPlan, packs: PackReader): Promise<Uint8Array | undefined> {
  for await (const file of packs.files(plan.listPack)) {
    if (file.path !== LIST_ENTRY) continue;
    if (file.size > MOST_LISTED) {
      throw new Error(`a list of ${file.size} bytes is too long for a download: ${BY_HAND}`);
    }
    const text = await file.bytes();
    if (sha256(text) === plan.listSha256) return text;
  }
  return undefined;
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
  for (const [pack, wanted] of wholeFiles(files)) {
    yield* filesOf(packs, list.packs[pack] ?? "", wanted);
  }
  for (const file of files) if ("parts" in file) yield* fileInParts(packs, list.packs, file);
  for (const { path, target } of list.links) {
    yield tarHeader({ path, type: "link", size: 0, mode: 0o777, modified, target });
  }
  yield TAR_END;
}

/** By pack, so that each one is read once, and then by path. */
function wholeFiles(files: readonly ListedFile[]): Map<number, Map<string, WholeFile>> {
  const all = new Map<number, Map<string, WholeFile>>();
  for (const file of files) {
    if ("parts" in file) continue;
    const wanted = all.get(file.pack) ?? new Map<string, WholeFile>();
    all.set(file.pack, wanted.set(file.path, file));
  }
  return all;
}

/** In the order of the pack. What has another hash than listed may be there again, further on. */
async function* filesOf(
  packs: PackReader,
  pack: PackId,
  wanted: Map<string, WholeFile>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { path, size, bytes } of packs.files(pack)) {
    const file = wanted.get(path);
    if (file?.size !== size) continue;
    const content = await bytes();
    if (sha256(content) !== file.sha256) continue;
    wanted.delete(path);
    yield headerOf(file);
    yield content;
    yield tarPadding(size);
  }
  for (const path of wanted.keys()) throw new Error(`${path} is not what was committed`);
}

async function* fileInParts(
  packs: PackReader,
  numbered: readonly PackId[],
  file: FileInParts,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield headerOf(file);
  let left = file.size;
  for (const [i, [digest, pack]] of file.parts.entries()) {
    const entry = `${PARTS_PREFIX}${file.path}/${String(i).padStart(8, "0")}`;
    const bytes = await packs.takePart(numbered[pack] ?? "", entry);
    if (bytes === undefined || sha256(bytes) !== digest) {
      throw new Error(`${entry} is not what was committed`);
    }
    left -= bytes.byteLength;
    yield bytes;
  }
  if (left !== 0) throw new Error(`${file.path} has another size than listed`);
  yield tarPadding(file.size);
}

function headerOf({ path, size, mode, modified }: ListedFile): Uint8Array {
  return tarHeader({ path, type: "file", size, mode, modified: modified / 1000 });
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
