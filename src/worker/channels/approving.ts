/**
 * An approval that was sent to the gateway and whose answer is not known yet: written down before, so that
 * one whose answer was lost is not forgotten. One for each channel, the latest.
 */
import * as z from "zod";
import { CHANNEL_IDS, type ChannelId } from "../../protocol/channels.ts";
import type { Notes } from "./store/notes.ts";

const stored = z.object({
  requestId: z.string(),
  id: z.string(),
  name: z.string().optional(),
  approvedBy: z.string(),
});

export type Approving = z.infer<typeof stored> & { channel: ChannelId };

const NOTE = "approving";

export class ApprovalsUnderWay {
  readonly #notes: Notes;

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  begin({ channel, ...approving }: Approving): void {
    this.#notes.write(channel, NOTE, JSON.stringify(approving));
  }

  /** A later one of the same channel stays. */
  end({ channel, requestId }: Pick<Approving, "channel" | "requestId">): void {
    if (this.#of(channel)?.requestId === requestId) this.#notes.write(channel, NOTE, undefined);
  }

  all(): Approving[] {
    return CHANNEL_IDS.flatMap((channel) => this.#of(channel) ?? []);
  }

  #of(channel: ChannelId): Approving | undefined {
    const text = this.#notes.read(channel, NOTE);
    return text === undefined ? undefined : { channel, ...stored.parse(JSON.parse(text)) };
  }
}
