/** What the webhooks of all platforms share. */
import type { Arrival } from "./channel.ts";

export { boundedText } from "../bounded-text.ts";

/** What a platform's request came to. */
export type WebhookReading =
  /**
   * Stored before `reply` is sent. `withinMs`: how long the platform waits for that; what comes
   * later is known by its id when the platform sends it again.
   */
  | { ok: true; arrivals: Arrival[]; reply: Response; withinMs?: number }
  | { ok: false; reply: Response };

export interface WebhookCall {
  request: Request;
  /** Below `/webhooks/<channel>/`. */
  rest: string;
  agentId: string;
  now: number;
}
