/** One channel as the admin page shows it. */
import type { ChannelView } from "../../protocol/admin-channels.ts";
import type { Channel } from "./channel.ts";
import type { LastSeen } from "./store/last-seen.ts";
import type { Letters } from "./store/letters.ts";

export function viewOf(channel: Channel, letters: Letters, lastSeen: LastSeen): ChannelView {
  const { id, policy } = channel;
  const last = lastSeen.of(id);
  const { error = last.error, ...state } = channel.state();
  return {
    id,
    policy,
    ...state,
    waiting: letters.count("waiting", id),
    dead: letters.count("dead", id),
    ...(last.in === undefined ? {} : { lastInAt: last.in }),
    ...(last.out === undefined ? {} : { lastOutAt: last.out }),
    ...(error === undefined ? {} : { error }),
  };
}
