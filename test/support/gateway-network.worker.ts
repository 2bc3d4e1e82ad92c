/** The network of a Worker in which Cloudflare AI Gateway is an emulator, as another name service would have it. */
import { Outbound as Real } from "../../src/worker/egress/outbound.ts";
import { CLOUDFLARE_GATEWAY } from "../../src/worker/ai/cloudflare-gateway.ts";
import type { Env } from "../../src/worker/env.ts";

type Parts = ConstructorParameters<typeof Real>;

/** @param emulator its address in place of the gateway's own */
export function outboundWith(emulator: string): typeof Real {
  return class Redirected extends Real {
    constructor(ctx: Parts[0], env: Env) {
      const network = env.INTERNET ?? globalThis;
      const reach: typeof fetch = (input, init) => {
        const url = typeof input === "string" || input instanceof URL ? String(input) : input.url;
        if (!url.startsWith(`${CLOUDFLARE_GATEWAY}/`)) return network.fetch(input, init);
        return network.fetch(`${emulator}${url.slice(CLOUDFLARE_GATEWAY.length)}`, init);
      };
      super(ctx, { ...env, INTERNET: { fetch: reach } });
    }
  };
}
