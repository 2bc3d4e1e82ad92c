/**
 * What becomes of a message that comes in: kept, answered without the agent, or turned away. Fails
 * closed for people: who is not known to be let in is a stranger.
 */
import type { ChannelId } from "../../protocol/channels.ts";
import { admit, standingOf, type Admission, type Standing } from "./admission.ts";
import type { Received } from "./calls.ts";
import type { Arrival, Channel, Circumstances } from "./channel.ts";
import type { OwnerIdentity } from "./settings.ts";
import type { Crowd, Crowded } from "./store/crowd.ts";
import type { KnownEvents } from "./store/known-events.ts";
import type { LastSeen } from "./store/last-seen.ts";
import { type Letters, MAX_BODY_CHARS } from "./store/letters.ts";
import type { Senders } from "./store/senders.ts";
import { STRANGER_REPLY } from "./stranger-reply.ts";

export interface IntakeParts {
  letters: Letters;
  known: KnownEvents;
  crowd: Crowd;
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
  /** The day on which an admin was last told that no room is left. */
  readonly #crowdedOn = new Map<Crowded, string>();

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /** Stores it, or not. @returns what became of it */
  take(arrival: Arrival): keyof Received {
    const { channels, letters, known, crowd, senders, last, parts } = this.#parts;
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
    const { policy } = channel;
    const day = new Date(now()).toISOString().slice(0, 10);
    const awake = readyStart() !== undefined;
    const circumstances = this.#circumstances(channel, sender?.id ?? "");
    const heed = channel.heed?.(arrival, circumstances) ?? "judge";
    if (heed === "drop") return "turnedAway";
    const full = crowd.full(arrival);
    const admission = admissionIn(full === undefined);
    if (full !== undefined && admission.act !== "take" && admissionIn(true).act === "take") {
      this.#crowded(arrival, full, day);
    }
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

    function admissionIn(room: boolean): Admission {
      if (heed === "take") return { act: "take", known: true, wake: true };
      if (heed !== "judge") {
        return room ? { act: "take", known: true, wake: false } : { act: "ignore" };
      }
      return admit(arrival, {
        ...{ policy, standing: circumstances.standing, awake, room },
        waking: letters.waking(1, channels.keys()).length > 0,
        stranger: senders.stranger(arrival.channel, sender?.id ?? "", day),
        wakes: senders.wakes(day),
        wakesAllowed: strangerWakes,
      });
    }
  }

  standing(channel: Channel, id: string): Standing["standing"] {
    return this.#circumstances(channel, id).standing;
  }

  #circumstances(channel: Channel, id: string): Circumstances {
    const { senders, parts } = this.#parts;
    const own = parts.owners.some((owner) => owner.channel === channel.id && owner.id === id);
    const named = own || channel.allowFrom.includes(id);
    const recorded = senders.standing(channel.id, id);
    return { standing: standingOf(channel.policy, recorded, named), named };
  }

  #crowded({ channel, chat }: Arrival, full: Crowded, day: string): void {
    if (this.#crowdedOn.get(full) === day) return;
    this.#crowdedOn.set(full, day);
    const whose = chat === undefined ? "What belongs to no chat" : "A chat";
    this.#parts.parts.alert(
      full === "all"
        ? `The room in the inbox for people who were not let in is full: what more of them comes on ${channel} is not taken.`
        : `${whose} on ${channel} has filled its part of the room for what the agent is not woken for: what more comes there is not taken.`,
    );
  }
}
