/**
 * Messages that a killed gateway marked as done and has in no conversation. What says so is taken away, so
 * that it takes them again.
 *
 * Fails towards leaving things alone: what might be in a conversation after all is not handed over twice.
 * The tables are the gateway's own; a test compares them with what the pinned version creates.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { stateDatabasePath } from "./state-preparation.ts";
import type { TakenMessage } from "./task.ts";

/** Clocks of one machine, read by two programs. */
const SKEW_MS = 1_000;
const BUSY_MS = 2_000;

/** @param aheadSince marks from then on may be ahead; milliseconds since the epoch. @returns the ids of their events */
export function releaseLost(
  home: string,
  { aheadSince, taken }: { aheadSince: number; taken: readonly TakenMessage[] },
): string[] {
  const path = stateDatabasePath(home);
  if (taken.length === 0 || !existsSync(path)) return [];
  const state = new DatabaseSync(path, { timeout: BUSY_MS });
  try {
    const done = taken.filter((message) => isDone(state, message, aheadSince));
    const lost = done.filter((message) => !isInConversations(home, message));
    const forget = state.prepare(
      `DELETE FROM channel_ingress_events
       WHERE channel_id = ? AND CAST(event_id AS INTEGER) = ? AND status = 'completed'`,
    );
    // Its Telegram plugin has a memory of its own beside the queue's.
    const forgetMessage = state.prepare(
      `DELETE FROM plugin_state_entries
       WHERE plugin_id = 'telegram-message-dispatch-dedupe' AND value_json ->> '$.key' LIKE ?`,
    );
    for (const { channel, eventId, chatId, messageId } of lost) {
      forgetMessage.run(`%"message","${chatId}",${messageId}]`);
      forget.run(channel, Number(eventId));
    }
    return lost.map(({ eventId }) => eventId);
  } finally {
    state.close();
  }
}

function isDone(state: DatabaseSync, { channel, eventId }: TakenMessage, since: number): boolean {
  const found = state
    .prepare(
      `SELECT 1 FROM channel_ingress_events WHERE channel_id = ? AND CAST(event_id AS INTEGER) = ?
         AND status = 'completed' AND completed_at >= ?`,
    )
    .get(channel, Number(eventId), since);
  return found !== undefined;
}

/**
 * Also when it cannot be ruled out: long events are compressed, and messages that come close together can become one turn,
 * which has the id of one of them.
 */
function isInConversations(home: string, message: TakenMessage): boolean {
  const { channel, messageId, senderId, takenAt, text } = message;
  return databasesOfAgents(home).some((path) => {
    const agent = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS });
    try {
      const event = agent
        .prepare(
          `SELECT 1 FROM transcript_events WHERE created_at >= ?1 AND (event_json IS NULL OR (
             event_json ->> '$.message.__openclaw.transport.channel' = ?2
             AND event_json ->> '$.message.__openclaw.senderId' = ?3
             AND (event_json ->> '$.message.__openclaw.transport.messageId' = ?4
               OR instr(event_json ->> '$.message.content', ?5) > 0)))`,
        )
        .get(takenAt - SKEW_MS, channel, senderId, messageId, text);
      const waiting = agent
        .prepare(
          `SELECT 1 FROM session_pending_inputs
           WHERE message_json ->> '$.__openclaw.transport.messageId' = ?`,
        )
        .get(messageId);
      return event !== undefined || waiting !== undefined;
    } finally {
      agent.close();
    }
  });
}

function databasesOfAgents(home: string): string[] {
  const agents = join(home, ".openclaw", "agents");
  if (!existsSync(agents)) return [];
  return readdirSync(agents)
    .map((name) => join(agents, name, "agent", "openclaw-agent.sqlite"))
    .filter((path) => existsSync(path));
}
