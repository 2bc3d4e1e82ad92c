import type { Outbound } from "../egress/outbound.ts";

declare global {
  namespace Cloudflare {
    interface GlobalProps {
      /** What the entry module exports besides its handler, as `ctx.exports` shows it. */
      mainModule: { Outbound: typeof Outbound };
    }
  }
}

/** The interceptor of one agent's start: what it may do comes from here, not from the sandbox. */
export function outboundFor(
  exports: Cloudflare.Exports,
  agentId: string,
  startGeneration: number,
): Fetcher {
  return exports.Outbound({ props: { agentId, startGeneration } });
}
