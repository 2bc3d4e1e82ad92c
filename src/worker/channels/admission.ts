/**
 * What an arrival may do: pure, fails closed. Whoever is not let in is answered by the Worker, wakes
 * the agent a few times a day at most, and only while the gateway itself would offer pairing.
 */
import type { DmPolicy } from "../../protocol/channels.ts";
import type { Arrival } from "./channel.ts";
import type { StrangerDay } from "./store/senders.ts";

export interface Standing {
  policy: DmPolicy;
  /** `approved` in the settings or by an admin; `barred` when an admin took that back. */
  standing: "approved" | "stranger" | "barred";
  /** The agent runs: nothing has to be woken. */
  awake: boolean;
  stranger: StrangerDay;
  /** Wakes by strangers today, and how many there may be. */
  wakes: number;
  wakesAllowed: number;
}

/**
 * Who somebody is, from what an admin decided on them and whether the settings name them. Barred holds
 * whatever the settings say; a permission counts only where the policy gives any.
 */
export function standingOf(
  policy: DmPolicy,
  recorded: "approved" | "barred" | undefined,
  named: boolean,
): Standing["standing"] {
  if (recorded === "barred") return "barred";
  const letIn = recorded === "approved" && policy !== "allowlist";
  return named || letIn || policy === "open" ? "approved" : "stranger";
}

export type Admission =
  /** Stored and delivered; `wake` also when the agent sleeps. */
  | { act: "take"; known: boolean; wake: boolean }
  /** Answered by the Worker, not stored. */
  | { act: "reply" }
  /** Neither stored nor answered. */
  | { act: "ignore" };

/** Messages of one stranger that are handed on in a day; the gateway answers one an hour. */
const STRANGER_MESSAGES = 20;

export function admit(arrival: Arrival, standing: Standing): Admission {
  const { policy, standing: who, awake, stranger, wakes, wakesAllowed } = standing;
  // What nobody did waits for the next time the agent is up, and a group is the gateway's to judge.
  if (arrival.sender === undefined) return { act: "take", known: false, wake: false };
  if (who === "barred") return { act: "ignore" };
  if (who === "approved") return { act: "take", known: true, wake: true };
  if (arrival.kind !== "direct") {
    return awake && stranger.messages < STRANGER_MESSAGES
      ? { act: "take", known: false, wake: false }
      : { act: "ignore" };
  }
  if (policy === "allowlist") return stranger.replied ? { act: "ignore" } : { act: "reply" };
  if (stranger.messages < STRANGER_MESSAGES) {
    if (awake) return { act: "take", known: false, wake: false };
    if (wakes < wakesAllowed) return { act: "take", known: false, wake: true };
  }
  return stranger.replied ? { act: "ignore" } : { act: "reply" };
}
