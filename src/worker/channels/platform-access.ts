/** What one chat platform does with the sandbox's own calls to it. */
import type { ChannelId } from "../../protocol/channels.ts";

export interface PlatformAccess {
  /** Which channel it is, and which of the calls write to a chat: the admin page says when one did. */
  channel?: ChannelId;
  writes?(request: Request): boolean;
  /** Why such a call was not taken although its answer is a success; for who says that in the body. */
  refused?(answer: Response): Promise<string | undefined>;
  /** Exact host names, on their usual HTTPS port. */
  hosts: readonly string[];
  /** Hosts whose WebSockets end at the channel in the agent's Durable Object. */
  sockets?: readonly string[];
  /** Answers the call itself, or passes it on with the real token; `reach` is the way out. */
  answer(request: Request, reach: typeof fetch): Promise<Response>;
}
