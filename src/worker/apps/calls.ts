/** What the Durable Object answers about apps and phones. All of it is plain data. */
import type { AdminApps } from "../../protocol/admin-apps.ts";
import type { Asker } from "../audit/calls.ts";
import type { Done } from "../done.ts";

export interface CodeNote {
  /** SHA-256 of the code, so that nothing that is stored lets anybody in. */
  hash: string;
  name: string;
  by: string;
  expiresAt: number;
}

export interface Redemption {
  hash: string;
  /** Of the credential that the app gets when this is agreed to. */
  id: string;
  name?: string;
  from: string;
  deviceId?: string;
}

/** `over`: used before, or too old. `full`: as many apps are listed as an agent may have; the code still counts. */
export type Redeemed = { ok: true } | { ok: false; reason: "over" | "full" };

export interface AppCalls {
  list(): Promise<AdminApps>;
  /** Answers with the address under which people open the agent, as far as one is known. */
  noteCode(code: CodeNote): Promise<{ origin?: string }>;
  dropCodes(): Promise<Done>;
  /** Uses the code up. */
  redeem(redemption: Redemption): Promise<Redeemed>;
  /** Written down before it happens. */
  remove(id: string, asker: Asker): Promise<Done>;
}
