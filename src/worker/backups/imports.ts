/**
 * Archives of a state from elsewhere: one that is being uploaded, and the one that somebody put into
 * the bucket. Each waits here until a start takes it in, once: the manifest says which were.
 */
import * as z from "zod";
import {
  BUCKET_ARCHIVE,
  IMPORT_PART_BYTES,
  MAX_IMPORT_BYTES,
  type ImportPlan,
  type ImportView,
} from "../../protocol/import.ts";
import { listAll, readHead, remove, type BackupBucket } from "./bucket.ts";
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

const upload = z.object({
  id: z.string(),
  name: z.string(),
  bytes: z.number(),
  received: z.array(z.number()),
  /** An admin said that the next start takes it in. */
  applied: z.boolean(),
});
type Upload = z.infer<typeof upload>;

const noted = z.object({
  upload: upload.optional(),
  /** Archives that were not taken in, with the reason; the newest last. */
  refused: z.array(z.object({ id: z.string(), problem: z.string() })).default([]),
});
type Noted = z.infer<typeof noted>;

const NAME = "imports";
/** What the archive in the bucket is called in the admin API. */
const IN_BUCKET = "bucket";
const MOST_REFUSED = 20;

export class Imports {
  readonly #parts: ImportsParts;

  constructor(parts: ImportsParts) {
    this.#parts = parts;
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
    this.#note({ ...this.#noted(), upload: fresh });
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
    this.#note({ ...this.#noted(), upload: next });
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

  /** The next start takes it in. */
  apply(id: string): Answer<undefined> {
    if (id === IN_BUCKET) return { ok: true, value: undefined };
    const found = this.#uploadOf(id);
    if (!found.ok) return found;
    const whole = this.#sourceOf(found.value);
    if (!whole.ok) return whole;
    this.#note({ ...this.#noted(), upload: { ...found.value, applied: true } });
    return { ok: true, value: undefined };
  }

  async drop(id: string): Promise<Answer<undefined>> {
    const found = this.#uploadOf(id);
    if (!found.ok) return found;
    const removed = await this.#removeParts();
    if (removed.ok) this.#note({ refused: this.#noted().refused });
    return removed;
  }

  /** What a start should take in. Something that cannot be read now waits for another start. */
  async waiting(): Promise<Answer<ImportSource | undefined>> {
    const found = await this.#all();
    if (!found.ok) return found;
    const { uploaded, inBucket, imported } = found.value;
    const done = new Set([...imported, ...this.#noted().refused.map(({ id }) => id)]);
    if (uploaded?.applied && !done.has(uploaded.id)) return this.#sourceOf(uploaded);
    const next = inBucket !== undefined && !done.has(inBucket.id) ? inBucket : undefined;
    return { ok: true, value: next };
  }

  refused(id: string, problem: string): void {
    const { refused, ...rest } = this.#noted();
    const others = refused.filter((one) => one.id !== id);
    this.#note({ ...rest, refused: [...others, { id, problem }].slice(-MOST_REFUSED) });
  }

  /** It is a generation now: its parts are not needed any more. */
  async done(id: string): Promise<void> {
    if (this.#noted().upload?.id === id) await this.#removeParts();
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
    const uploaded = this.#noted().upload;
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
    const found = this.#noted().upload;
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
    const problem = this.#noted().refused.find((one) => one.id === id)?.problem;
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

  #noted(): Noted {
    const text = this.#parts.notebook.read(NAME);
    return noted.parse(text === undefined ? {} : JSON.parse(text));
  }

  #note(next: Noted): void {
    this.#parts.notebook.write(NAME, JSON.stringify(next));
    this.#parts.changed();
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
