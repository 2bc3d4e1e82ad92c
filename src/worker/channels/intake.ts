/**
 * What becomes of a message that comes in: kept, answered without the agent, or turned away. Fails
 * closed for people: who is not known to be let in is a stranger.
 */
import type { ChannelId } from "../../protocol/channels.ts";
import { admit, standingOf, type Admission, type Standing } from "./admission.ts";
import type { Received } from "./calls.ts";
import type { Arrival, Channel } from "./channel.ts";
import type { OwnerIdentity } from "./settings.ts";
import type { KnownEvents } from "./store/known-events.ts";
import type { LastSeen } from "./store/last-seen.ts";
import { type Letters, MAX_BODY_CHARS } from "./store/letters.ts";
import type { Senders } from "./store/senders.ts";
import { STRANGER_REPLY } from "./stranger-reply.ts";

export interface IntakeParts {
  letters: Letters;
  known: KnownEvents;
  senders: Senders;
  last: LastSeen;
  channels: ReadonlyMap<ChannelId, Channel>;
  /** Of the room that it belongs to. */
  parts: {
    strangerWakes: number;
    owners: readonly OwnerIdentity[];
    now(): number;
    readyStart(): number | undefined;
    waitUntil(work: Promise<unknown>): void;
    touch(): void;
    alert(text: string): void;
  };
}

export class Intake {
  readonly #parts: IntakeParts;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /** Stores it, or not. @returns what became of it */
  take(arrival: Arrival): keyof Received {
    const { channels, letters, known, senders, last, parts } = this.#parts;
    const { now, readyStart, strangerWakes } = parts;
    const channel = channels.get(arrival.channel);
    if (channel === undefined) return "turnedAway";
    if (known.has(arrival)) return "known";
    if (arrival.body.length > MAX_BODY_CHARS) {
      known.add(arrival, now());
      parts.alert(`A message of ${channel.id} is too large to be kept and was not taken.`);
      return "turnedAway";
    }
    const { sender } = arrival;
    const day = new Date(now()).toISOString().slice(0, 10);
    const awake = readyStart() !== undefined;
    const standing = this.standing(channel, sender?.id ?? "");
    const heed = channel.heed?.(arrival, { standing }) ?? "judge";
    if (heed === "drop") return "turnedAway";
    const admission: Admission =
      heed === "judge"
        ? admit(arrival, {
            policy: channel.policy,
            standing,
            awake,
            stranger: senders.stranger(channel.id, sender?.id ?? "", day),
            wakes: senders.wakes(day),
            wakesAllowed: strangerWakes,
          })
        : { act: "take", known: true, wake: heed === "take" };
    last.came(channel.id, now(), admission.act === "take");
    if (admission.act === "take") {
      const put = letters.put(arrival, admission.wake, now());
      if (put !== "stored") return put;
      if (admission.known) parts.touch();
      else if (sender !== undefined) {
        const woke = admission.wake && !awake;
        senders.count(channel.id, sender.id, day, { replied: false, woke });
      }
      return "stored";
    }
    if (sender === undefined) return "turnedAway";
    const replied = admission.act === "reply" && arrival.chat !== undefined;
    senders.count(channel.id, sender.id, day, { replied, woke: false });
    if (replied) parts.waitUntil(channel.say(arrival.chat ?? "", STRANGER_REPLY));
    return "turnedAway";
  }

  standing(channel: Channel, id: string): Standing["standing"] {
    const { senders, parts } = this.#parts;
    const own = parts.owners.some((owner) => owner.channel === channel.id && owner.id === id);
    const named = own || channel.allowFrom.includes(id);
    return standingOf(channel.policy, senders.standing(channel.id, id), named);
  }
}
