/** What the channels of an agent are made of. */
import type { ChannelId } from "../../protocol/channels.ts";
import type { Sql } from "../agent/store/schema.ts";
import type { Logger } from "../logger.ts";
import type { Channel, ChannelHost, Delivered, Delivery } from "./channel.ts";
import type { GatewayCall } from "./pairing.ts";
import type { OwnerIdentity } from "./settings.ts";

export interface ChannelsParts {
  sql: Sql;
  agentId: string;
  innerToken: string;
  /** Makes the configured channels. */
  open(host: (channel: ChannelId) => ChannelHost): Channel[];
  /** How often strangers may wake the agent in a day. */
  strangerWakes: number;
  owners: readonly OwnerIdentity[];
  log: Logger;
  fetch: typeof fetch;
  now(): number;
  waitUntil(work: Promise<unknown>): void;
  /** The start whose gateway is ready; undefined while none is. */
  readyStart(): number | undefined;
  /** The same, unless its gateway is being started again: nothing could be handed to it. */
  takingStart(): number | undefined;
  /** Asks the sandbox how its gateway is, before a failure is held against a message. */
  look(): Promise<void>;
  /** The one shared start; resolves when it is over, whatever came of it. */
  wake(): Promise<unknown>;
  post(delivery: Delivery): Promise<Delivered>;
  mark(): Promise<number | undefined>;
  call: GatewayCall;
  /** Somebody who is let in wrote. */
  touch(): void;
  /** Something that deserves a look. */
  alert(text: string): void;
  /** Pages that follow are told, the next alarm may be another one. */
  changed(): void;
}
