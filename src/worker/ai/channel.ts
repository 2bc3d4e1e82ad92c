/**
 * Through which channel somebody reached the agent, read from the prompt of a call: OpenClaw's system
 * prompt has one line "Runtime: … | channel=telegram | …". Pure.
 */
import { CHANNEL_IDS } from "../../protocol/channels.ts";

/** Sums are kept for good for each name, so only these become one. */
const NAMES: ReadonlySet<string> = new Set([...CHANNEL_IDS, "webchat"]);
const OTHER = "other";
const LINE = "Runtime: ";
/** In JSON a line ends with an escape and the text with a quote; the line itself is short. */
const LINE_REST = /^[^"\\]{0,2000}?\| channel=([a-z][a-z0-9-]{0,31}) \|/;
const LONGEST_LINE = 2100;
/** A body that is full of such lines costs no more than a few. */
const MAX_LINES = 8;

/** @param text a request's body, as it came */
export function channelIn(text: string): string | undefined {
  let at = -1;
  for (let lines = 0; lines < MAX_LINES; lines += 1) {
    at = text.indexOf(LINE, at + 1);
    if (at === -1) return undefined;
    const name = LINE_REST.exec(text.slice(at + LINE.length, at + LONGEST_LINE))?.[1];
    if (name !== undefined) return NAMES.has(name) ? name : OTHER;
  }
  return undefined;
}
