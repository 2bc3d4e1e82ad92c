/**
 * What one agent's Durable Object remembers about its backups beside the bucket. It is what tells a
 * bucket that lost something from a bucket that never had it; losing it loses no backup.
 */
import * as z from "zod";
import { packId } from "../../protocol/backup.ts";
import { usage } from "./bounds.ts";

/** Text by name, durable. */
export interface Notebook {
  read(name: string): string | undefined;
  write(name: string, value: string): void;
}

const remembered = z.object({
  /** The newest generation ever seen committed. */
  lastGeneration: z.number().int().nonnegative().default(0),
  /** When it was made. */
  lastAt: z.number().optional(),
  /** The highest number handed out. */
  reserved: z.number().int().nonnegative().default(0),
  /** The sandbox that may commit: its start generation, and the epoch it was given. */
  claim: z.object({ start: z.number().int(), epoch: z.number().int() }).optional(),
  /** Generations that may be read by the claimed sandbox: a restore or a drill is open. */
  open: z.enum(["restore", "drill"]).optional(),
  /** The newest generation when the drill was opened: others come while it runs. */
  drilledFrom: z.number().int().optional(),
  /** Packs that a restore found damaged. */
  damagedPacks: z.array(packId).default([]),
  used: usage.optional(),
  prunedAt: z.number().optional(),
  /** When a restore last worked, of whatever generation. */
  verifiedAt: z.number().optional(),
  /** The same of what was the newest generation then. */
  newestVerifiedAt: z.number().optional(),
  failure: z.object({ at: z.number(), message: z.string() }).optional(),
});
export type Remembered = z.infer<typeof remembered>;

const NAME = "backups";

export function recall(notebook: Notebook): Remembered {
  const text = notebook.read(NAME);
  return remembered.parse(text === undefined ? {} : JSON.parse(text));
}

export function remember(notebook: Notebook, change: Partial<Remembered>): void {
  notebook.write(NAME, JSON.stringify({ ...recall(notebook), ...change }));
}

export function forget(notebook: Notebook, name: "open" | "failure"): void {
  const { [name]: _, ...rest } = recall(notebook);
  notebook.write(NAME, JSON.stringify(rest));
}
