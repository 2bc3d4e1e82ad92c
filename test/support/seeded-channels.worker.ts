/** A channels room with a dead letter, a waiting one, and somebody who asks: what its page has to show. */
import type { ChannelId } from "../../src/protocol/channels.ts";
import { ChannelsRoom } from "../../src/worker/channels/channels.ts";
import type { Arrival, Channel } from "../../src/worker/channels/channel.ts";
import type { ChannelsParts } from "../../src/worker/channels/parts.ts";
import { createLogger } from "../../src/worker/logger.ts";

const HOSTILE = `<img src=x onerror="document.title='owned'">`;

export interface SeededChannels {
  sql: ChannelsParts["sql"];
  waitUntil(work: Promise<unknown>): void;
  /** What the bot was told to say. */
  said(chat: string, text: string): void;
  /** That a message of the agent left, or what the platform said instead. */
  spoke(channel: ChannelId, problem?: string): void;
}

export function seededChannelsRoom({ sql, waitUntil, said, spoke }: SeededChannels): ChannelsRoom {
  class Watched extends ChannelsRoom {
    override async spoke(channel: ChannelId, problem?: string): Promise<void> {
      spoke(channel, problem);
      await super.spoke(channel, problem);
    }
  }
  let asking = true;
  const room = new Watched({
    ...{ sql, waitUntil, agentId: "main", innerToken: "inner", strangerWakes: 5, owners: [] },
    open: () => [telegram(said)],
    log: createLogger([]),
    fetch: () => Promise.reject(new Error("nothing goes out")),
    now: Date.now,
    readyStart: () => 1,
    takingStart: () => 1,
    look: () => Promise.resolve(),
    wake: () => Promise.resolve(),
    post: () => Promise.resolve({ ok: false, reason: "no sandbox" }),
    mark: () => Promise.resolve(1),
    call: async ({ method }) => {
      if (method === "channels.pairing.approve") asking = false;
      const value =
        method === "channels.pairing.list"
          ? { requests: asking ? [REQUEST] : [] }
          : { senderId: "66" };
      return { ok: true, value };
    },
    touch: () => undefined,
    alert: () => undefined,
    changed: () => undefined,
  });
  waitUntil(room.receive([letter(1, "no such update"), letter(2, `on its way ${HOSTILE}`)]));
  waitUntil(room.spoke("telegram"));
  return room;
}

const REQUEST = {
  requestId: "r1",
  channel: "telegram",
  accountId: "default",
  senderId: "66",
  metadata: { firstName: HOSTILE },
};

function letter(n: number, preview: string): Arrival {
  const sender = { id: "77", name: "Alice" };
  return {
    channel: "telegram",
    eventId: String(n),
    sender,
    chat: "77",
    kind: "direct",
    preview,
    body: "{}",
  };
}

function telegram(said: SeededChannels["said"]): Channel {
  return {
    id: "telegram",
    policy: "pairing",
    allowFrom: ["77"],
    deliver: async ({ n }) =>
      n === 1
        ? { kind: "refused", reason: "The gateway answered 400: no such update" }
        : { kind: "later", reason: "The gateway's listener is not there." },
    signOfLife: () => Promise.resolve(),
    async say(chat, text) {
      said(chat, text);
      return { ok: true };
    },
    tend: () => Promise.resolve(undefined),
    state: () => ({
      connection: "connected",
      way: "webhook",
      account: "@my_bot",
      address: "https://agent.example/webhooks/telegram/main",
    }),
  };
}
