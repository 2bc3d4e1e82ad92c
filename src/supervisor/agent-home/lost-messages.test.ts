import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { perform } from "./agent-home.ts";
import { stateDatabasePath } from "./state-preparation.ts";
import type { TakenMessage } from "./task.ts";

const ENDED_AT = 1_000_000_000;
let home: string;
let state: DatabaseSync;
let agent: DatabaseSync;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lost-messages-"));
  mkdirSync(dirname(stateDatabasePath(home)), { recursive: true });
  mkdirSync(join(home, ".openclaw/agents/main/agent"), { recursive: true });
  state = new DatabaseSync(stateDatabasePath(home));
  state.exec(`
    CREATE TABLE channel_ingress_events (channel_id TEXT, event_id TEXT, status TEXT, completed_at INTEGER);
    CREATE TABLE plugin_state_entries (plugin_id TEXT, value_json TEXT);
    CREATE TABLE gateway_boot_lifecycle (completed_at_ms INTEGER, outcome TEXT, reason TEXT);
    CREATE TABLE state_leases (scope TEXT)`);
  agent = new DatabaseSync(join(home, ".openclaw/agents/main/agent/openclaw-agent.sqlite"));
  agent.exec(`
    CREATE TABLE transcript_events (created_at INTEGER, event_json TEXT);
    CREATE TABLE session_pending_inputs (message_json TEXT)`);
});
afterEach(() => {
  state.close();
  agent.close();
  rmSync(home, { recursive: true, force: true });
});

const taken: TakenMessage = {
  channel: "telegram",
  eventId: "1107",
  messageId: "197",
  chatId: "77",
  senderId: "77",
  text: "the word is bullace",
  takenAt: ENDED_AT - 9_000,
};

function completed(at: number, status = "completed"): void {
  state
    .prepare("INSERT INTO channel_ingress_events VALUES ('telegram', '0000000000001107', ?, ?)")
    .run(status, at);
}

function said(
  change: { channel?: string; messageId?: string; senderId?: string; content?: unknown } = {},
): string {
  const { channel = "telegram", messageId = "197", senderId = "77", content = "x" } = change;
  const known = { senderId, transport: { channel, messageId } };
  return JSON.stringify({ message: { role: "user", content, __openclaw: known } });
}

function note(text: string | null, at = ENDED_AT - 500): void {
  agent.prepare("INSERT INTO transcript_events VALUES (?, ?)").run(at, text);
}

function prepared() {
  const ended = { aheadSince: ENDED_AT - 15_000, taken: [taken] };
  return perform({ task: "prepare", home, config: "{}", ended }, ENDED_AT + 1_000);
}

function dispatched(messageId: number): void {
  const key = JSON.stringify(["account", "default", "bot", "42", "message", "77", messageId]);
  state
    .prepare("INSERT INTO plugin_state_entries VALUES ('telegram-message-dispatch-dedupe', ?)")
    .run(JSON.stringify({ key, seenAt: ENDED_AT }));
}

const left = () => state.prepare("SELECT event_id FROM channel_ingress_events").all().length;

it("a message that is marked as done and stands nowhere is lost, and its mark goes", () => {
  completed(ENDED_AT - 300);
  for (const messageId of [97, 197, 1970]) dispatched(messageId);
  note(said({ messageId: "196" }));
  note(said({ senderId: "78" }));
  note(said({ channel: "slack" }));
  note(said(), ENDED_AT - 60_000);
  expect(prepared()).toMatchObject({
    ok: true,
    lost: ["1107"],
    notes: ["the gateway lost 1 messages that it had taken"],
  });
  expect(left()).toBe(0);
  const known = state.prepare("SELECT value_json FROM plugin_state_entries").all();
  expect(JSON.stringify(known)).not.toContain(",197]");
  expect(known).toHaveLength(2);
});

it.each<[string, () => void]>([
  ["stands in a conversation", () => note(said())],
  ["may stand in an event that is compressed", () => note(null)],
  [
    "became one turn with another one",
    () => note(said({ messageId: "198", content: "hello?\nthe word is bullace" })),
  ],
  [
    "became a part of one",
    () =>
      note(
        said({ messageId: "198", content: [{ type: "text", text: "a\nthe word is bullace\nb" }] }),
      ),
  ],
  [
    "waits in a conversation",
    () =>
      agent
        .prepare("INSERT INTO session_pending_inputs VALUES (?)")
        .run('{"__openclaw":{"transport":{"channel":"telegram","messageId":"197"}}}'),
  ],
])("one that %s is not", (_, where) => {
  completed(ENDED_AT - 300);
  where();
  expect(prepared()).toMatchObject({ ok: true, lost: [], notes: [] });
  expect(left()).toBe(1);
});

it.each<[string, () => void]>([
  ["is still in the gateway's queue", () => completed(ENDED_AT - 300, "claimed")],
  ["was done long before", () => completed(ENDED_AT - 60_000)],
  ["the gateway knows nothing of", () => undefined],
])("one that %s is left to the gateway", (_, make) => {
  make();
  const before = left();
  expect(prepared()).toMatchObject({ ok: true, lost: [], notes: [] });
  expect(left()).toBe(before);
});

it("nothing is handed over again when nobody can tell, and the gateway starts all the same", () => {
  completed(ENDED_AT - 300);
  agent.exec("DROP TABLE transcript_events");
  const reply = prepared();
  expect(reply).toMatchObject({ ok: true, lost: [] });
  expect(reply.ok && reply.notes[0]).toContain("could not be found");
  expect(left()).toBe(1);
});

it("a mark stays when the preparation fails, because nobody would hear that the message is lost", () => {
  completed(ENDED_AT - 300);
  mkdirSync(join(home, ".openclaw/openclaw.json"));
  expect(prepared).toThrow("EISDIR");
  expect(left()).toBe(1);
});
