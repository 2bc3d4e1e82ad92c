/**
 * Whether the panic button holds an agent whose sandbox still asks for something: the platform may not
 * have ended it yet. Fails closed: nothing leaves on an answer that did not come.
 */
import { within } from "../deadline.ts";
import type { EgressCalls } from "./calls.ts";

/** The Durable Object is asked with the first request of so many milliseconds, and not with each. */
const KNOWN_MS = 2_000;
const ASK_DEADLINE_MS = 10_000;

const openUntil = new Map<string, number>();

export type Hold = "open" | "held" | "unknown";

export async function holdOf(
  agentId: string,
  egress: Pick<EgressCalls, "held">,
  now: number,
): Promise<Hold> {
  if (now < (openUntil.get(agentId) ?? 0)) return "open";
  try {
    if (await within("the agent", ASK_DEADLINE_MS, egress.held())) return "held";
  } catch {
    return "unknown";
  }
  openUntil.set(agentId, now + KNOWN_MS);
  return "open";
}
