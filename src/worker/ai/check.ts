/** Whether a provider takes the key it is configured with, asked of the provider itself. */
import type { ProviderCheck } from "../../protocol/spend.ts";
import { attempt, type Outcome } from "./attempt.ts";
import type { AiConfig, Provider } from "./providers.ts";

const DEADLINE_MS = 15_000;
/** Of Anthropic's API; the others do not read it. */
const HEADERS = { accept: "application/json", "anthropic-version": "2023-06-01" };

export async function checkProvider(
  provider: Provider,
  config: AiConfig,
  fetcher: typeof fetch,
): Promise<ProviderCheck> {
  const upstream = provider.upstream(config);
  if (upstream === undefined) return { ok: false, reason: "not-configured" };
  const call = {
    provider,
    upstream: { ...upstream, firstByteMs: DEADLINE_MS },
    method: "GET",
    target: provider.check,
    headers: new Headers(HEADERS),
    body: null,
    signal: new AbortController().signal,
    metadata: {},
  };
  return judge(await attempt(call, fetcher));
}

async function judge(outcome: Outcome): Promise<ProviderCheck> {
  if (!outcome.ok) return { ok: false, reason: "unreachable" };
  const { answer, status } = outcome;
  if (answer.kind === "begun") await answer.reader.cancel();
  if (status === 401 || status === 403) return { ok: false, reason: "key-refused", status };
  if (status >= 200 && status < 300) return { ok: true };
  return { ok: false, reason: "unexpected", status };
}
