/** What the channels answer to the other rooms of the Worker. All of it is plain data. */
import type { ChannelsView } from "../../protocol/admin-channels.ts";
import type { ChannelId } from "../../protocol/channels.ts";
import type { Done } from "../done.ts";
import type { Arrival } from "./channel.ts";

/** How many arrivals came to what. `full`: not stored, the platform has to send them again. */
export type Received = Record<"stored" | "known" | "full" | "turnedAway", number>;

export interface ChannelCalls {
  receive(arrivals: Arrival[]): Promise<Received>;
  overview(): Promise<ChannelsView>;
  approve(channel: ChannelId, requestId: string, by: string): Promise<Done>;
  dismiss(channel: ChannelId, requestId: string): Promise<Done>;
  bar(channel: ChannelId, id: string, barred: boolean): Promise<Done>;
  retryLetter(n: number): Promise<Done>;
  dropLetter(n: number): Promise<Done>;
  test(channel: ChannelId, chat: string, text: string): Promise<Done>;
  /** @param problem why the platform did not take what the agent wrote; absent when it did */
  spoke(channel: ChannelId, problem?: string): Promise<void>;
}
