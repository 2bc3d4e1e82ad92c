/**
 * What Cloudflare AI Gateway is told beside a call.
 * https://developers.cloudflare.com/ai-gateway/configuration/
 *
 * Retries and caching are ours: two of each would multiply, and neither knows the ledger.
 */
export const CLOUDFLARE_GATEWAY = "https://gateway.ai.cloudflare.com/v1";

export function gatewayHeaders(
  gateway: { token?: string },
  metadata: Record<string, string>,
  timeoutMs: number,
): Record<string, string> {
  return {
    ...(gateway.token === undefined ? {} : { "cf-aig-authorization": `Bearer ${gateway.token}` }),
    "cf-aig-metadata": JSON.stringify(metadata),
    "cf-aig-skip-cache": "true",
    "cf-aig-max-attempts": "1",
    "cf-aig-request-timeout": String(timeoutMs),
  };
}
