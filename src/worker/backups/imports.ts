/**
 * Archives of a state from elsewhere: one that is being uploaded, and the one that somebody put into
 * the bucket. Each waits here until a start takes it in, once: the manifest says which were.
 */
import {
  BUCKET_ARCHIVE,
  IMPORT_PART_BYTES,
  MAX_IMPORT_BYTES,
  type ImportPlan,
  type ImportView,
} from "../../protocol/import.ts";
import { listAll, readHead, remove, type BackupBucket } from "./bucket.ts";
import { ImportNotes, type Upload } from "./import-notes.ts";
import { importPartKey, importsPrefix } from "./keys.ts";
import { refuse, type Answer } from "./ledger.ts";
import type { Notebook } from "./memory.ts";

export interface ImportsParts {
  agentId: string;
  bucket: BackupBucket;
  notebook: Notebook;
  /** What the manifest says was taken in already. */
  imported(): Promise<Answer<readonly string[]>>;
  /** The list is another one. */
  changed(): void;
}

/** Where the bytes of an archive lie, in order. */
export interface ImportSource {
  /** Tells this archive from every other: of an object in the bucket it is the etag. */
  id: string;
  bytes: number;
  pieces: { key: string; range?: { offset: number; length: number } }[];
}

/** What the archive in the bucket is called in the admin API. */
const IN_BUCKET = "bucket";

export class Imports {
  readonly #parts: ImportsParts;
  readonly #notes: ImportNotes;

  constructor(parts: ImportsParts) {
    this.#parts = parts;
    this.#notes = new ImportNotes(parts.notebook, parts.changed);
  }

  async list(): Promise<Answer<ImportView[]>> {
    const found = await this.#all();
    if (!found.ok) return found;
    const { uploaded, inBucket, imported } = found.value;
    const views: ImportView[] = [];
    if (uploaded !== undefined) views.push(this.#viewOf(uploaded, imported));
    if (inBucket !== undefined) {
      views.push({
        ...this.#ended(inBucket.id, imported, "waiting"),
        ...{ id: IN_BUCKET, name: BUCKET_ARCHIVE, bytes: inBucket.bytes },
        ...{ partBytes: IMPORT_PART_BYTES, parts: inBucket.pieces.length, missing: [] },
      });
    }
    return { ok: true, value: views };
  }

  /** Another upload takes the place of the one before. */
  async begin(name: string, bytes: number): Promise<Answer<ImportView>> {
    if (bytes > MAX_IMPORT_BYTES) {
      return refuse("invalid", `An archive has at most ${MAX_IMPORT_BYTES} bytes.`);
    }
    const dropped = await this.#removeParts();
    if (!dropped.ok) return dropped;
    const fresh = { id: crypto.randomUUID(), name, bytes, received: [], applied: false };
    this.#notes.setUpload(fresh);
    return { ok: true, value: this.#viewOf(fresh, []) };
  }

  /** Where part `n` of `size` bytes belongs. */
  part(id: string, n: number, size: number): Answer<{ key: string }> {
    const found = this.#uploadOf(id);
    if (!found.ok) return found;
    const { bytes, applied } = found.value;
    const wanted = Math.min(IMPORT_PART_BYTES, bytes - n * IMPORT_PART_BYTES);
    if (applied) return refuse("closed", "It waits for the next start already.");
    if (size !== wanted) return refuse("invalid", `Part ${n} has ${Math.max(0, wanted)} bytes.`);
    return { ok: true, value: { key: importPartKey(this.#parts.agentId, id, n) } };
  }

  stored(id: string, n: number): Answer<ImportView> {
    const found = this.#uploadOf(id);
    if (!found.ok) return found;
    const received = [...new Set([...found.value.received, n])].sort((a, b) => a - b);
    const next = { ...found.value, received };
    this.#notes.setUpload(next);
    return { ok: true, value: this.#viewOf(next, []) };
  }

  /** The bytes of a whole archive. */
  async source(id: string): Promise<Answer<ImportSource>> {
    if (id === IN_BUCKET) {
      const found = await this.#inBucket();
      if (!found.ok) return found;
      if (found.value !== undefined) return { ok: true, value: found.value };
      return refuse("missing", `${BUCKET_ARCHIVE} is not in the bucket.`);
    }
    const found = this.#uploadOf(id);
    if (!found.ok) return found;
    return this.#sourceOf(found.value);
  }

  /** Whether a start could take it in: all of it is here, and it was not taken in before. */
  async ready(id: string): Promise<Answer<ImportSource>> {
    const [found, imported] = [await this.source(id), await this.#parts.imported()];
    if (!found.ok) return found;
    if (!imported.ok) return imported;
    const before = imported.value.includes(found.value.id);
    return before ? refuse("exists", "It was taken in already.") : found;
  }

  /** The next start takes it in, also when one before refused it. */
  async apply(id: string): Promise<Answer<undefined>> {
    const found = await this.ready(id);
    if (!found.ok) return found;
    this.#notes.forgive(found.value.id);
    const { upload } = this.#notes;
    if (upload?.id === id) this.#notes.setUpload({ ...upload, applied: true });
    return { ok: true, value: undefined };
  }

  /** Takes its bytes out of the bucket, also those that somebody put there. */
  async drop(id: string): Promise<Answer<undefined>> {
    const found = id === IN_BUCKET ? await this.source(id) : this.#uploadOf(id);
    if (!found.ok) return found;
    const removed =
      id === IN_BUCKET
        ? await remove(this.#parts.bucket, [BUCKET_ARCHIVE])
        : await this.#removeParts();
    if (!removed.ok) return removed;
    if (id !== IN_BUCKET) this.#notes.setUpload(undefined);
    this.#notes.forgive(found.value.id);
    return removed;
  }

  /** What a start should take in. Something that cannot be read now waits for another start. */
  async waiting(): Promise<Answer<ImportSource | undefined>> {
    const found = await this.#all();
    if (!found.ok) return found;
    const { uploaded, inBucket, imported } = found.value;
    const over = (one: string) =>
      imported.includes(one) || this.#notes.problemOf(one) !== undefined;
    if (uploaded?.applied && !over(uploaded.id)) return this.#sourceOf(uploaded);
    const next = inBucket !== undefined && !over(inBucket.id) ? inBucket : undefined;
    return { ok: true, value: next };
  }

  refused(id: string, problem: string): void {
    this.#notes.refuse(id, problem);
  }

  /** It is a generation now: its parts are not needed any more. */
  async done(id: string): Promise<void> {
    if (this.#notes.upload?.id === id) await this.#removeParts();
  }

  async #all(): Promise<
    Answer<{
      uploaded: Upload | undefined;
      inBucket: ImportSource | undefined;
      imported: readonly string[];
    }>
  > {
    const [inBucket, imported] = await Promise.all([this.#inBucket(), this.#parts.imported()]);
    if (!inBucket.ok) return inBucket;
    if (!imported.ok) return imported;
    const uploaded = this.#notes.upload;
    return { ok: true, value: { uploaded, inBucket: inBucket.value, imported: imported.value } };
  }

  async #inBucket(): Promise<Answer<ImportSource | undefined>> {
    const head = await readHead(this.#parts.bucket, BUCKET_ARCHIVE);
    if (!head.ok || head.value === undefined) {
      return head.ok ? { ok: true, value: undefined } : head;
    }
    const { etag, size } = head.value;
    const pieces = Array.from({ length: Math.ceil(size / IMPORT_PART_BYTES) }, (_, i) => {
      const offset = i * IMPORT_PART_BYTES;
      const length = Math.min(IMPORT_PART_BYTES, size - offset);
      return { key: BUCKET_ARCHIVE, range: { offset, length } };
    });
    return { ok: true, value: { id: etag, bytes: size, pieces } };
  }

  #sourceOf({ id, bytes, received }: Upload): Answer<ImportSource> {
    const parts = partsOf(bytes);
    if (received.length < parts) {
      return refuse("missing", `${parts - received.length} of ${parts} parts have not arrived.`);
    }
    const pieces = received.map((n) => ({ key: importPartKey(this.#parts.agentId, id, n) }));
    return { ok: true, value: { id, bytes, pieces } };
  }

  #uploadOf(id: string): Answer<Upload> {
    const found = this.#notes.upload;
    if (found?.id === id) return { ok: true, value: found };
    return refuse("missing", "There is no such import.");
  }

  #viewOf(one: Upload, imported: readonly string[]): ImportView {
    const { id, name, bytes, received, applied } = one;
    const parts = partsOf(bytes);
    const missing = Array.from({ length: parts }, (_, n) => n).filter((n) => !received.includes(n));
    const present = applied ? "waiting" : missing.length > 0 ? "uploading" : "uploaded";
    return {
      ...this.#ended(id, imported, present),
      ...{ id, name, bytes, partBytes: IMPORT_PART_BYTES, parts, missing },
    };
  }

  #ended(id: string, imported: readonly string[], present: ImportView["state"]) {
    if (imported.includes(id)) return { state: "done" as const };
    const problem = this.#notes.problemOf(id);
    return problem === undefined ? { state: present } : { state: "refused" as const, problem };
  }

  async #removeParts(): Promise<Answer<undefined>> {
    const { bucket, agentId } = this.#parts;
    const found = await listAll(bucket, importsPrefix(agentId));
    if (!found.ok) return found;
    return remove(
      bucket,
      found.value.map(({ key }) => key),
    );
  }
}

export function planOf(source: ImportSource | undefined): ImportPlan {
  if (source === undefined) return {};
  const { id, bytes, pieces } = source;
  return { import: { id, bytes, partBytes: IMPORT_PART_BYTES, parts: pieces.length } };
}

function partsOf(bytes: number): number {
  return Math.ceil(bytes / IMPORT_PART_BYTES);
}
