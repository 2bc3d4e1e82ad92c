/** What the Durable Object answers about hosts that the sandbox may not reach. Plain data. */
import type { RefusedHost } from "../../protocol/admin.ts";

export interface EgressCalls {
  /** The panic button holds the agent: nothing may leave its sandbox. */
  held(): Promise<boolean>;
  countRefused(host: string, times: number): Promise<void>;
  refusedHosts(): Promise<RefusedHost[]>;
}
