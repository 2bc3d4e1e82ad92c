/**
 * What pruning remembers from one time to the next, on a page of its own in the notebook. Losing it deletes
 * nothing: what it is missing for is waited for again.
 */
import * as z from "zod";
import type { Notebook } from "./memory.ts";

const pruningNotes = z.object({
  /** The last epoch that this agent's Durable Object itself wrote: in another one somebody else writes. */
  epoch: z.number().int().optional(),
  /** When a manifest last stopped naming something. */
  droppedAt: z.number().optional(),
  /** When the clock was last looked at and believed. */
  believedAt: z.number().optional(),
  /** When it first said what is not believed yet. */
  doubtedAt: z.number().optional(),
});
export type PruningNotes = z.infer<typeof pruningNotes>;

const NAME = "pruning";

export function pruningNotesOf(notebook: Notebook): PruningNotes {
  const text = notebook.read(NAME);
  return pruningNotes.parse(text === undefined ? {} : JSON.parse(text));
}

export function notePruning(notebook: Notebook, change: PruningNotes): void {
  notebook.write(NAME, JSON.stringify({ ...pruningNotesOf(notebook), ...change }));
}
