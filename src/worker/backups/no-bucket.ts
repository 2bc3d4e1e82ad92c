/** What every call about backups comes to when no bucket is bound. */
import { refuse, type Refused } from "./ledger.ts";

export const NO_BUCKET = "No bucket is bound: nothing of this agent is kept.";

export function noBucket(): Refused {
  return refuse("no-bucket", NO_BUCKET);
}
