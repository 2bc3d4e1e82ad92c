import type { RetentionPolicy } from "../backups/retention.ts";
import { PROVIDER_IDS, type ProviderId } from "../ai/providers.ts";
import { priceOverride, type PriceOverride } from "../../protocol/spend-settings.ts";
import { parsePattern, type HostPattern } from "../egress/pattern.ts";

/** What a setting's text came to: a value, or what is wrong with it and how to mend it. */
export type Field<T> = { ok: true; value: T } | { ok: false; problem: string; mend: string };

const UNIT_MS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const LONGEST_SLEEP_MS = 30 * 86_400_000;

/** `never`, or a duration such as `10m`, as milliseconds. */
export function sleepAfter(text: string): Field<"never" | number> {
  const value = text.trim().toLowerCase();
  if (value === "never") return { ok: true, value };
  const [, digits, unit] = /^(\d{1,9})(s|m|h|d)$/.exec(value) ?? [];
  const ms = Number(digits) * (UNIT_MS[unit ?? ""] ?? Number.NaN);
  if (ms >= 1000 && ms <= LONGEST_SLEEP_MS) return { ok: true, value: ms };
  return {
    ok: false,
    problem: "is not a duration between 1s and 30d",
    mend: "Write never, or a number with s, m, h or d: 10m, 1h.",
  };
}

export function flag(text: string): Field<boolean> {
  const value = text.trim().toLowerCase();
  if (["true", "1", "yes", "on"].includes(value)) return { ok: true, value: true };
  if (["false", "0", "no", "off"].includes(value)) return { ok: true, value: false };
  return { ok: false, problem: "is neither true nor false", mend: "Write true or false." };
}

/** A provider's base address without a trailing slash. It may carry no credentials or query. */
export function baseUrl(text: string): Field<string> {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  const plain =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    url.username + url.password + url.search + url.hash === "";
  if (plain) return { ok: true, value: url.href.replace(/\/+$/, "") };
  return {
    ok: false,
    problem: "is not a plain http or https address",
    mend: "Write an address such as https://api.example.org/v1, without user, password, ? or #.",
  };
}

/** A comma list of origins. A path is refused because nothing could honour it. */
export function origins(text: string): Field<string[]> {
  const entries = list(text);
  const found = entries.map((entry) => (URL.canParse(entry) ? new URL(entry) : undefined));
  const value = found.flatMap((url) =>
    url !== undefined && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`
      ? [url.origin]
      : [],
  );
  if (value.length === entries.length && value.length > 0) return { ok: true, value };
  return {
    ok: false,
    problem: "is not a list of web addresses without a path",
    mend: "Write the address people open, such as https://agent.example.org.",
  };
}

export function hostname(text: string): Field<string> {
  const value = text.trim().toLowerCase();
  if (/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:\d{1,5})?$/.test(value) && !value.includes("..")) {
    return { ok: true, value };
  }
  return {
    ok: false,
    problem: "is not a host name",
    mend: "Write a host name such as admin.example.org, without https:// and without a path.",
  };
}

export interface ModelName {
  provider: ProviderId;
  /** `provider/model`. */
  full: string;
}

export function model(text: string): Field<ModelName> {
  const value = text.trim();
  const [, name = ""] = /^([a-z-]+)\/[\w.:@+/-]{1,200}$/.exec(value) ?? [];
  const provider = PROVIDER_IDS.find((each) => each === name);
  if (provider !== undefined) return { ok: true, value: { provider, full: value } };
  return {
    ok: false,
    problem: "does not name a provider and a model",
    mend: `Write <provider>/<model>, where the provider is ${PROVIDER_IDS.join(", ")}.`,
  };
}

/** An account's or a gateway's id, as it stands in an address. */
export function id(text: string): Field<string> {
  if (/^[\w-]{1,64}$/.test(text)) return { ok: true, value: text };
  return {
    ok: false,
    problem: "is not an id",
    mend: "Write the id alone, as the dashboard shows it: letters, digits, - and _.",
  };
}

export function usd(text: string): Field<number> {
  const value = Number(text.replace(/^\$/, ""));
  if (value > 0 && value <= 1_000_000) return { ok: true, value };
  return {
    ok: false,
    problem: "is not an amount in dollars",
    mend: "Write a number such as 5 or 2.50.",
  };
}

/** `provider/model=input/output` in dollars for a million tokens, separated by commas. */
export function prices(text: string): Field<PriceOverride[]> {
  const value: PriceOverride[] = [];
  for (const entry of list(text)) {
    const [, named, input, output] = /^(.+)=([\d.]+)\/([\d.]+)$/.exec(entry) ?? [];
    const price = priceOverride.safeParse({
      model: named,
      input: Number(input),
      output: Number(output),
    });
    if (!price.success) {
      return {
        ok: false,
        problem: `holds "${entry.slice(0, 80)}", which is no price`,
        mend: "Write provider/model=<dollars for a million tokens in>/<out>, such as openai/llama3*=0/0.",
      };
    }
    value.push(price.data);
  }
  return { ok: true, value };
}

export function egressAllow(text: string): Field<HostPattern[]> {
  const value: HostPattern[] = [];
  for (const entry of list(text)) {
    const pattern = parsePattern(entry);
    if (!pattern.ok) {
      return {
        ok: false,
        problem: `holds "${entry.slice(0, 80)}", which ${pattern.problem}`,
        mend: "Write host names such as example.org, *.example.org or example.org:443.",
      };
    }
    value.push(pattern.pattern);
  }
  return { ok: true, value };
}

/** A Cloudflare Access team, with or without `https://` and `.cloudflareaccess.com`, as its origin. */
export function accessTeam(text: string): Field<string> {
  const name = text
    .trim()
    .toLowerCase()
    .replace(/^https:\/\//, "")
    .replace(/\/+$/, "");
  const host = name.includes(".") ? name : `${name}.cloudflareaccess.com`;
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/.test(host)) {
    return { ok: true, value: `https://${host}` };
  }
  return {
    ok: false,
    problem: "is not the domain of a Cloudflare Access team",
    mend: "Write it as Zero Trust shows it: myteam.cloudflareaccess.com.",
  };
}

/** Audience tags of Access applications: 64 hexadecimal digits each. */
export function accessAudiences(text: string): Field<string[]> {
  const value = list(text).map((entry) => entry.toLowerCase());
  if (value.length > 0 && value.every((entry) => /^[0-9a-f]{64}$/.test(entry))) {
    return { ok: true, value };
  }
  return {
    ok: false,
    problem: "is not the audience tag of an Access application",
    mend: "Copy the Application Audience (AUD) Tag, 64 hexadecimal digits, from the application's page.",
  };
}

/** Addresses in lower case; an entry that is none is a problem, so that a typo shuts nobody out unseen. */
export function emails(text: string): Field<string[]> {
  const value = list(text).map((entry) => entry.toLowerCase());
  const wrong = value.find((entry) => !/^[^@\s*]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(entry));
  if (value.length > 0 && wrong === undefined) return { ok: true, value };
  return {
    ok: false,
    problem: `holds "${(wrong ?? "").slice(0, 80)}", which is not an e-mail address`,
    mend: "Write whole addresses, separated by commas; patterns are not taken.",
  };
}

/** Client ids of service tokens, which Access puts into `common_name`. */
export function serviceTokens(text: string): Field<string[]> {
  const value = list(text);
  if (value.length > 0 && value.every((entry) => /^[\w.-]{8,256}$/.test(entry))) {
    return { ok: true, value };
  }
  return {
    ok: false,
    problem: "is not a list of client ids",
    mend: "Write the Client ID of each service token, such as 0123abcd.access. Never its secret.",
  };
}

function list(text: string): string[] {
  return text.split(/[\s,]+/).filter((entry) => entry !== "");
}

/** age identities, the current one first. */
export function backupKey(text: string): Field<string[]> {
  const value = list(text).map((entry) => entry.toUpperCase());
  if (
    value.length > 0 &&
    value.every((entry) => /^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/.test(entry))
  ) {
    return { ok: true, value };
  }
  return {
    ok: false,
    problem:
      "is not an age X25519 identity; passphrases are not taken, because opening one needs more memory than a Worker has",
    mend: "Set it to the AGE-SECRET-KEY-1… line that `age-keygen` prints; an older one may follow.",
  };
}

/** How long generations stay: hours with all of them, days hourly, days daily, weeks weekly. */
export function retention(text: string): Field<RetentionPolicy> {
  const [, ...numbers] =
    /^(\d{1,4})h[\s,]+(\d{1,4})d[\s,]+(\d{1,4})d[\s,]+(\d{1,4})w$/.exec(text.trim()) ?? [];
  const [allHours, hourlyDays, dailyDays, weeklyWeeks] = numbers.map(Number);
  if (
    allHours === undefined ||
    hourlyDays === undefined ||
    dailyDays === undefined ||
    weeklyWeeks === undefined
  ) {
    return {
      ok: false,
      problem: "does not say how long backups stay",
      mend: "Write hours with every generation, days with one an hour, days with one a day and weeks with one a week: 24h 7d 30d 52w.",
    };
  }
  return { ok: true, value: { allHours, hourlyDays, dailyDays, weeklyWeeks } };
}
