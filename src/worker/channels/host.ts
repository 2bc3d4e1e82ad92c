/** What a channel is given to do its work with, out of what all of them have. */
import type { ChannelId } from "../../protocol/channels.ts";
import type { Received } from "./calls.ts";
import type { Arrival, ChannelHost } from "./channel.ts";
import type { ChannelsParts } from "./parts.ts";
import type { LastSeen } from "./store/last-seen.ts";
import type { Notes } from "./store/notes.ts";

interface Own {
  notes: Notes;
  last: LastSeen;
  standing: ChannelHost["standing"];
  receive(arrivals: Arrival[]): Promise<Received>;
}

export function hostOf(channel: ChannelId, parts: ChannelsParts, own: Own): ChannelHost {
  const { agentId, innerToken, log, fetch: reach, now, post, waitUntil, changed } = parts;
  return {
    ...{ agentId, innerToken, log, now, changed },
    fetch: reach,
    post: (delivery) => post(delivery),
    waitUntil: (work) => waitUntil(work),
    standing: (id) => own.standing(id),
    receive: async (arrivals) => (await own.receive(arrivals)).full === 0,
    read: (name) => own.notes.read(channel, name),
    write: (name, value) => own.notes.write(channel, name, value),
    alert: (text) => {
      own.last.failed(channel, now(), text);
      parts.alert(text);
    },
  };
}
