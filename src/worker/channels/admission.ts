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
  /** A message that waits has it woken already: the next one costs no wake of its own. */
  waking: boolean;
  /** There is room left of what people who were not let in may take up. */
  room: boolean;
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

/** Goes along when the agent is up. */
const RIDES: Admission = { act: "take", known: false, wake: false };
/** Messages of one stranger that are handed on in a day; the gateway answers one an hour. */
const STRANGER_MESSAGES = 20;

export function admit(arrival: Arrival, standing: Standing): Admission {
  const { policy, standing: who, awake, waking, room, stranger, wakes, wakesAllowed } = standing;
  // What nobody did waits for the next time the agent is up, and a group is the gateway's to judge.
  if (arrival.sender === undefined) return room ? RIDES : { act: "ignore" };
  if (who === "barred") return { act: "ignore" };
  if (who === "approved") return { act: "take", known: true, wake: true };
  const rides = room && stranger.messages < STRANGER_MESSAGES;
  if (arrival.kind !== "direct") return awake && rides ? RIDES : { act: "ignore" };
  if (policy === "allowlist") return stranger.replied ? { act: "ignore" } : { act: "reply" };
  if (rides) {
    if (awake || waking) return RIDES;
    if (wakes < wakesAllowed) return { act: "take", known: false, wake: true };
  }
  return stranger.replied ? { act: "ignore" } : { act: "reply" };
}
