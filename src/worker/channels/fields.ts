/** Fields that the settings of several channels share. */
import {
  CHANNEL_IDS,
  DM_POLICIES,
  type ChannelId,
  type DmPolicy,
} from "../../protocol/channels.ts";
import type { Field } from "../config/fields.ts";

export interface OwnerIdentity {
  channel: ChannelId;
  id: string;
}

export function dmPolicy(text: string): Field<DmPolicy> {
  const value = DM_POLICIES.find((policy) => policy === text.trim().toLowerCase());
  if (value !== undefined) return { ok: true, value };
  return {
    ok: false,
    problem: "is not a policy for direct messages",
    mend: `Write one of ${DM_POLICIES.join(", ")}.`,
  };
}

/** Ids as the platform gives them; a name can change hands, so it is refused. */
export function senderIds(pattern: RegExp, example: string): (text: string) => Field<string[]> {
  return (text) => {
    const value = text.split(/[\s,]+/).filter((entry) => entry !== "");
    const wrong = value.find((entry) => entry !== "*" && !pattern.test(entry));
    if (value.length > 0 && wrong === undefined) return { ok: true, value };
    return {
      ok: false,
      problem: `holds "${(wrong ?? "").slice(0, 80)}", which is not a sender's id`,
      mend: `Write ids such as ${example}, separated by commas.`,
    };
  };
}

/** The policy that holds: `*` among the ids lets everybody in, to the gateway and so to everything here. */
export function effectivePolicy(policy: DmPolicy, allowFrom: readonly string[]): DmPolicy {
  return allowFrom.includes("*") ? "open" : policy;
}

export function wakes(text: string): Field<number> {
  const value = Number(text);
  if (/^\d{1,3}$/.test(text) && value <= 100) return { ok: true, value };
  return { ok: false, problem: "is not a number from 0 to 100", mend: "Write a number such as 5." };
}

export function owners(text: string): Field<OwnerIdentity[]> {
  const value: OwnerIdentity[] = [];
  for (const entry of text.split(/[\s,]+/).filter((part) => part !== "")) {
    const [, name, id] = /^([a-z]+):([A-Za-z0-9_-]{1,64})$/.exec(entry) ?? [];
    const channel = CHANNEL_IDS.find((each) => each === name);
    if (channel === undefined || id === undefined) {
      return {
        ok: false,
        problem: `holds "${entry.slice(0, 80)}", which is not an identity`,
        mend: "Write <channel>:<id>, such as telegram:123456789, separated by commas.",
      };
    }
    value.push({ channel, id });
  }
  return { ok: true, value };
}
