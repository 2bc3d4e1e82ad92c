/** The settings of the browser. */
import type { HostPattern } from "../egress/pattern.ts";
import * as field from "./fields.ts";
import type { Field } from "./fields.ts";
import type { Read } from "./reading.ts";

export interface BrowserConfig {
  /** Without it nobody outside may connect. */
  secret?: string;
  /** Whether the secret is taken from the address, too. */
  secretInUrl: boolean;
  /** Browsing time of a day, in milliseconds. */
  dayCapMs?: number;
  /** Of the local browser: which hosts pages may come from. */
  hosts: { allow: HostPattern[]; deny: HostPattern[]; private: HostPattern[] };
}

const SHORTEST_SECRET = 32;

export function readBrowser(read: Read): BrowserConfig {
  const secret = read("CDP_SECRET", cdpSecret);
  const dayCapMs = read("BROWSER_DAY_CAP", dayCap);
  return {
    ...(secret === undefined ? {} : { secret }),
    secretInUrl: read("CDP_SECRET_IN_URL", field.flag) ?? false,
    ...(dayCapMs === undefined ? {} : { dayCapMs }),
    hosts: {
      allow: read("BROWSER_ALLOW", field.egressAllow) ?? [],
      deny: read("BROWSER_DENY", field.egressAllow) ?? [],
      private: read("BROWSER_PRIVATE", field.egressAllow) ?? [],
    },
  };
}

function cdpSecret(text: string): Field<string> {
  if (text.length >= SHORTEST_SECRET && /^[\x21-\x7e]+$/.test(text)) {
    return { ok: true, value: text };
  }
  return {
    ok: false,
    problem: `has fewer than ${SHORTEST_SECRET} characters, or one that is not plain ASCII`,
    mend: `Set it to at least ${SHORTEST_SECRET} random characters, for example from: openssl rand -hex 32`,
  };
}

function dayCap(text: string): Field<number> {
  const [, digits, unit] = /^(\d{1,4})(m|h)$/.exec(text.trim().toLowerCase()) ?? [];
  const ms = Number(digits) * (unit === "h" ? 3_600_000 : 60_000);
  if (ms > 0) return { ok: true, value: ms };
  return {
    ok: false,
    problem: "is not a time such as 90m or 2h",
    mend: "Write minutes or hours: 90m, 2h.",
  };
}
