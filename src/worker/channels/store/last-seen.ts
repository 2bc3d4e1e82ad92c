/** When a channel last took and sent a message, and what last went wrong: what an admin asks first. */
import * as z from "zod";
import type { ChannelId } from "../../../protocol/channels.ts";
import type { Notes } from "./notes.ts";

const last = z.object({
  in: z.number().optional(),
  out: z.number().optional(),
  error: z.object({ at: z.number(), message: z.string() }).optional(),
});
type Last = z.infer<typeof last>;

const NOTE = "last";
const MAX_ERROR = 500;

export class LastSeen {
  readonly #notes: Notes;
  readonly #known = new Map<ChannelId, Last>();

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  of(channel: ChannelId): Last {
    const known = this.#known.get(channel);
    if (known !== undefined) return known;
    const text = this.#notes.read(channel, NOTE);
    return text === undefined ? {} : last.parse(JSON.parse(text));
  }

  /** @param lasting false for what strangers can bring about as often as they like */
  came(channel: ChannelId, at: number, lasting: boolean): void {
    this.#become(channel, { ...this.of(channel), in: at }, lasting);
  }

  sent(channel: ChannelId, at: number): void {
    this.#become(channel, { ...this.of(channel), out: at }, true);
  }

  failed(channel: ChannelId, at: number, message: string): void {
    const error = { at, message: message.slice(0, MAX_ERROR) };
    this.#become(channel, { ...this.of(channel), error }, true);
  }

  /** It works again. */
  recovered(channel: ChannelId): void {
    const { error, ...rest } = this.of(channel);
    if (error !== undefined) this.#become(channel, rest, true);
  }

  #become(channel: ChannelId, next: Last, lasting: boolean): void {
    this.#known.set(channel, next);
    if (lasting) this.#notes.write(channel, NOTE, JSON.stringify(next));
  }
}
