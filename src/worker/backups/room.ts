/** What the parts of the backups share: the agent's bucket, its notebook, its keys and its ledger. */
import type { BackupBucket } from "./bucket.ts";
import type { Bounds } from "./bounds.ts";
import type { BackupKeys } from "./cipher.ts";
import type { Answer, Ledger } from "./ledger.ts";
import { headNumber, type Manifest } from "./manifest.ts";
import { recall, remember, type Notebook } from "./memory.ts";
import type { RetentionPolicy } from "./retention.ts";

export interface BackupsParts {
  agentId: string;
  bucket: BackupBucket;
  notebook: Notebook;
  keys: () => Promise<BackupKeys | undefined>;
  bounds: Bounds;
  retention: RetentionPolicy;
  now: () => number;
  wait: (ms: number) => Promise<void>;
  writeIntervalMs: number;
  /** The list of generations, or of archives that wait, is another one. */
  changed: () => void;
}

export interface BackupsRoom extends BackupsParts {
  ledger: Ledger;
  /** Work that nobody waits for; what goes wrong in it is told like any other failure. */
  later: (work: Promise<Answer<unknown>>) => void;
}

/** A number that was never used and never will be by anybody else. */
export function nextNumber({ notebook }: BackupsRoom, current: Manifest): number {
  const n = Math.max(headNumber(current), recall(notebook).reserved) + 1;
  remember(notebook, { reserved: n });
  return n;
}
