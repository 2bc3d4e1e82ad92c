import type {
  CommitRequest,
  OutcomeReply,
  PackId,
  ReserveReply,
  RestoreOutcome,
  RestorePlan,
} from "../../protocol/backup.ts";
import type { ImportOutcome, ImportPlan } from "../../protocol/import.ts";
import type { Range } from "./bucket.ts";
import type { Answer } from "./ledger.ts";

/** Who is asking: the start is bound to the interceptor, the token is what the sandbox showed. */
export interface BackupCaller {
  startGeneration: number;
  token: string;
}

/** What the sandbox asks of the agent's Durable Object; bytes never pass through it. */
export type BackupCall =
  | { call: "plan" }
  | { call: "outcome"; outcome: RestoreOutcome }
  | { call: "reserve" }
  | { call: "store-pack"; pack: PackId; size: number }
  | { call: "read-pack"; pack: PackId }
  | { call: "import-plan" }
  | { call: "import-part"; part: number }
  | { call: "import-refused"; outcome: ImportOutcome }
  | { call: "commit"; generation: number; request: CommitRequest };

/** Where a pack lies, or a piece of an archive. */
export interface Place {
  key: string;
  range?: Range;
  /** That a pack was encrypted to, as far as it is recorded. */
  recipient?: string;
}

export type BackupValue = RestorePlan | OutcomeReply | ReserveReply | ImportPlan | Place;

export type BackupAnswer = Answer<BackupValue>;
