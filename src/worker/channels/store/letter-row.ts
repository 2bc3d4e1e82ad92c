/** A letter's row, as the letter that it is and as an admin is shown it: without its content. */
import * as z from "zod";
import type { LetterView } from "../../../protocol/admin-channels.ts";
import type { ChannelId } from "../../../protocol/channels.ts";
import type { SqlValue } from "../../agent/store/schema.ts";
import type { Arrival, Letter } from "../channel.ts";

export interface LetterRow extends Record<string, SqlValue> {
  n: number;
  channel: ChannelId;
  event_id: string;
  sender_id: string | null;
  sender_name: string | null;
  chat: string | null;
  kind: Arrival["kind"];
  preview: string;
  headers: string;
  body: string;
  at: number;
  state: LetterView["state"];
  tries: number;
  next_at: number;
  last_error: string | null;
}

const headersText = z.record(z.string(), z.string());

/** The columns of what is shown, which spare the reading of the content. */
export const SHOWN =
  "n, channel, event_id, sender_id, sender_name, chat, kind, preview, '{}' AS headers, '' AS body, at, state, tries, next_at, last_error";

export function letterOf(row: LetterRow): Letter {
  const { n, channel, kind, preview, body, at, tries } = row;
  return {
    ...{ n, channel, eventId: row.event_id, kind, preview, body, at, tries },
    headers: headersText.parse(JSON.parse(row.headers)),
    ...(row.chat === null ? {} : { chat: row.chat }),
    ...(row.sender_id === null
      ? {}
      : {
          sender: {
            id: row.sender_id,
            ...(row.sender_name === null ? {} : { name: row.sender_name }),
          },
        }),
  };
}

export function shownOf(row: LetterRow): LetterView {
  const { n, channel, kind, preview, at, state, tries } = row;
  return {
    ...{ n, channel, eventId: row.event_id, kind, preview, at, state, tries },
    nextAt: row.next_at,
    ...(row.sender_id === null ? {} : { senderId: row.sender_id }),
    ...(row.sender_name === null ? {} : { senderName: row.sender_name }),
    ...(row.last_error === null ? {} : { lastError: row.last_error }),
  };
}
