import { describe, expect, it, test } from "vitest";
import type { Arrival } from "../channel.ts";
import { heed } from "./heed.ts";
import { postedForm, readRequest } from "./request.ts";

const BOT = "U0THEBOT";

function callback(event: Record<string, unknown>) {
  return {
    ...{ token: "old", type: "event_callback", event_id: "Ev1", api_app_id: "A1" },
    authorizations: [{ user_id: BOT, is_bot: true }],
    event: { ts: "1.1", ...event },
  };
}

function arrivalOf(event: Record<string, unknown>): Arrival | undefined {
  const read = readRequest("application/json", JSON.stringify(callback(event)));
  return read.kind === "arrival" ? read.arrival : undefined;
}

describe("an event", () => {
  it.each<[string, Record<string, unknown>, Partial<Arrival>]>([
    [
      "a direct message with a file",
      {
        ...{ type: "message", subtype: "file_share", user: "U1", channel: "D1" },
        ...{ channel_type: "im", text: "look", files: [{ name: "cat.png" }] },
      },
      { kind: "direct", chat: "D1", sender: { id: "U1" }, preview: "look [cat.png]" },
    ],
    [
      "an edit, which Slack also makes of a link",
      {
        ...{ type: "message", subtype: "message_changed", channel: "D1", channel_type: "im" },
        message: { user: "U1", text: "new" },
      },
      { kind: "other", sender: { id: "U1" } },
    ],
    [
      "the bot's own arrival in a channel is whose invitation it was",
      { type: "member_joined_channel", user: BOT, inviter: "U1", channel: "C1" },
      { kind: "other", sender: { id: "U1" }, chat: "C1" },
    ],
    [
      "a user who changed comes whole",
      { type: "user_change", user: { id: "U1" }, channel: { id: "C1" } },
      { kind: "other" },
    ],
    [
      "a reaction",
      { type: "reaction_added", user: "U1", item: { channel: "C1", ts: "1.1" } },
      { kind: "other", chat: "C1", sender: { id: "U1" } },
    ],
  ])("%s", (_name, event, wanted) => {
    expect(arrivalOf(event)).toMatchObject({ channel: "slack", eventId: "Ev1", ...wanted });
  });

  it.each<[string, Record<string, unknown>]>([
    ["by the bot's user", { type: "message", user: BOT, channel: "D1", channel_type: "im" }],
    ["by the app", { type: "message", bot_id: "B1", app_id: "A1", channel: "C1" }],
    ["edited by the app", { type: "message", subtype: "message_changed", message: { user: BOT } }],
    [
      "deleted by it",
      { type: "message", subtype: "message_deleted", previous_message: { user: BOT } },
    ],
    ["the bot's reaction", { type: "reaction_added", user: BOT }],
  ])("%s is the bot's own", (_name, event) => {
    expect(arrivalOf(event)).toBeUndefined();
  });

  it("of another bot is not", () => {
    expect(arrivalOf({ type: "message", bot_id: "B2", app_id: "A2", channel: "C1" })).toBeDefined();
  });
});

test("an envelope of Socket Mode is known again when it also comes over HTTP", () => {
  const event = callback({ type: "message", user: "U1", channel: "D1", channel_type: "im" });
  const command = {
    ...{ command: "/openclaw", text: "a & b", user_id: "U1", channel_id: "D1", trigger_id: "t1" },
  };
  const pressed = { type: "block_actions", user: { id: "U1" }, trigger_id: "t2" };
  const pairs: [string, object, string, string][] = [
    ["events_api", event, "application/json", JSON.stringify(event)],
    [
      "slash_commands",
      command,
      "application/x-www-form-urlencoded",
      new URLSearchParams(command).toString(),
    ],
    [
      "interactive",
      pressed,
      "application/x-www-form-urlencoded",
      new URLSearchParams({ payload: JSON.stringify(pressed) }).toString(),
    ],
  ];
  for (const [type, payload, contentType, text] of pairs) {
    const form = postedForm(type, payload);
    const read = readRequest(form.contentType, form.text);
    expect(read.kind).toBe("arrival");
    expect(read).toEqual(readRequest(contentType, text));
  }
});

describe("in a channel", () => {
  const threads = () => {
    const kept = new Set<string>();
    return { has: (one: string) => kept.has(one), add: (one: string) => void kept.add(one) };
  };
  const mention = { type: "app_mention", user: "U1", channel: "C1", text: `<@${BOT}> hi` };
  const chatter = {
    type: "message",
    user: "U1",
    channel: "C1",
    channel_type: "channel",
    text: "x",
  };

  it.each([
    ["a mention by whom was let in", mention, "approved", [], "take"],
    ["a mention by anybody in an open channel", mention, "stranger", ["C1"], "take"],
    ["a mention by anybody where all are open", mention, "stranger", ["*"], "take"],
    ["a mention by anybody elsewhere", mention, "stranger", ["C2"], "drop"],
    ["a mention by somebody barred", mention, "barred", ["*"], "drop"],
    ["what people say to each other", chatter, "approved", ["*"], "drop"],
    [
      "a reaction of whom was let in",
      { type: "reaction_added", user: "U1" },
      "approved",
      [],
      "keep",
    ],
    ["a reaction of anybody", { type: "reaction_added", user: "U1" }, "stranger", ["*"], "drop"],
  ] as const)("%s", (_name, event, standing, open, wanted) => {
    const arrival = arrivalOf(event);
    if (arrival === undefined) throw new Error("no arrival");
    expect(heed(arrival, { standing }, open, threads())).toBe(wanted);
  });

  it("a thread goes on once the agent was spoken to in it", () => {
    const known = threads();
    const take = (event: Record<string, unknown>) => {
      const arrival = arrivalOf(event);
      return arrival && heed(arrival, { standing: "approved" }, [], known);
    };
    expect(take({ ...chatter, thread_ts: "1.1" })).toBe("drop");
    expect(take(mention)).toBe("take");
    expect(take({ ...chatter, ts: "1.2", thread_ts: "1.1" })).toBe("take");
    expect(take({ ...chatter, ts: "1.3", thread_ts: "1.9" })).toBe("drop");
  });
});
