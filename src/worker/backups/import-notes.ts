/** What is known of archives from elsewhere beside their bytes: the one that is uploaded, and which were refused. */
import * as z from "zod";
import type { Notebook } from "./memory.ts";

const upload = z.object({
  id: z.string(),
  name: z.string(),
  bytes: z.number(),
  received: z.array(z.number()),
  /** An admin said that the next start takes it in. */
  applied: z.boolean(),
});
export type Upload = z.infer<typeof upload>;

const noted = z.object({
  upload: upload.optional(),
  /** Archives that were not taken in, with the reason; the newest last. */
  refused: z.array(z.object({ id: z.string(), problem: z.string() })).default([]),
});
type Noted = z.infer<typeof noted>;

const NAME = "imports";
const MOST_REFUSED = 20;

export class ImportNotes {
  readonly #notebook: Notebook;
  readonly #changed: () => void;

  constructor(notebook: Notebook, changed: () => void) {
    this.#notebook = notebook;
    this.#changed = changed;
  }

  get upload(): Upload | undefined {
    return this.#read().upload;
  }

  setUpload(next: Upload | undefined): void {
    const { refused } = this.#read();
    this.#write(next === undefined ? { refused } : { refused, upload: next });
  }

  problemOf(id: string): string | undefined {
    return this.#read().refused.find((one) => one.id === id)?.problem;
  }

  refuse(id: string, problem: string): void {
    const { refused, ...rest } = this.#read();
    const others = refused.filter((one) => one.id !== id);
    this.#write({ ...rest, refused: [...others, { id, problem }].slice(-MOST_REFUSED) });
  }

  /** The next start tries it as if for the first time. */
  forgive(id: string): void {
    const { refused, ...rest } = this.#read();
    this.#write({ ...rest, refused: refused.filter((one) => one.id !== id) });
  }

  #read(): Noted {
    const text = this.#notebook.read(NAME);
    return noted.parse(text === undefined ? {} : JSON.parse(text));
  }

  #write(next: Noted): void {
    this.#notebook.write(NAME, JSON.stringify(next));
    this.#changed();
  }
}
