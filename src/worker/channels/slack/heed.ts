/**
 * What of a workspace's traffic is the agent's business. In a channel only who was let in may speak
 * to it, or everybody where the settings say so, and only what speaks to it is taken: by name, as an
 * answer to it, or in a thread where it was spoken to before. Fails closed. Pure but for `threads`.
 */
import type { Arrival, Circumstances, Heed } from "../channel.ts";
import { eventCallback, isAddressed, threadOf } from "./event.ts";

export interface Threads {
  has(thread: string): boolean;
  add(thread: string): void;
}

export function heed(
  arrival: Arrival,
  { standing }: Pick<Circumstances, "standing">,
  openChannels: readonly string[],
  threads: Threads,
): Heed {
  if (arrival.kind === "direct") return "judge";
  const approved = standing === "approved";
  // Reactions, edits, people who come and go: told when the agent is up, no reason to wake it.
  if (arrival.kind === "other") return approved ? "keep" : "drop";
  const open = openChannels.includes("*") || openChannels.includes(arrival.chat ?? "");
  if (standing === "barred" || !(approved || open)) return "drop";
  if (arrival.headers?.["content-type"] !== "application/json") return "take";
  const call = eventCallback.safeParse(parseJson(arrival.body)).data;
  if (call === undefined) return "drop";
  const thread = threadOf(call);
  if (isAddressed(call)) {
    if (thread !== undefined) threads.add(thread);
    return "take";
  }
  return thread !== undefined && threads.has(thread) ? "take" : "drop";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
