/**
 * The door of the AI gateway: what `ai.moltworker.internal` answers.
 *
 * It holds the keys; the sandbox sends placeholders, which stop here. Fails closed: only listed
 * paths, methods and headers pass, no metered call is made without a reservation in the ledger, and
 * none at all while the panic button holds the agent.
 * Answers pass byte for byte and are not buffered; a failure is always an answer, in the provider's
 * own error format.
 */
import { attempt } from "./attempt.ts";
import { MAX_REQUEST_BYTES, boundBody } from "./body-limit.ts";
import { failureReply } from "./failure.ts";
import type { Failure } from "./failure.ts";
import type { ModelCallContext, Reply } from "./call-context.ts";
import { answerMetered } from "./metered.ts";
import { noRoute, wayHeader } from "./place.ts";
import type { Provider } from "./providers.ts";
import { routeOf } from "./route.ts";
import { IDLE_MS, tap } from "./tap.ts";
import { targetOf } from "./target.ts";

/** What costs nothing is read along by nobody. */
const UNHEARD = { chunk: () => {}, end: () => {} };

/** Never rejects for anything a provider, a network or a caller does. */
export async function answerModelCall(
  request: Request,
  context: ModelCallContext,
): Promise<Response> {
  const url = new URL(request.url);
  const began = Date.now();
  const route = routeOf(request.method, url.pathname);
  let reply: Reply | "held";
  if (!route.ok || route.wire === undefined) {
    const refusal = await context.hold.ask();
    if (refusal !== undefined) return refusal;
    reply = route.ok ? await passFree(request, url, route, context) : { ok: false, failure: route };
  } else {
    const { provider, wire, model } = route;
    const metered = { provider, wire, ...(model === undefined ? {} : { model }) };
    const answer = answerMetered(request, url, metered, context);
    // A caller who goes away before the first byte must not take the ledger's word along.
    context.waitUntil(answer);
    reply = await answer;
  }
  if (reply === "held") return context.hold.refusal();
  if (reply.ok && reply.response.ok) return reply.response;

  const status = reply.ok ? reply.response.status : undefined;
  context.log?.warn("model call failed", {
    agent: context.agentId,
    startGeneration: context.startGeneration,
    method: request.method,
    path: url.pathname,
    ms: Date.now() - began,
    ...(reply.ok ? { reason: "provider-error", status } : reasonFields(reply.failure)),
  });
  if (reply.ok) return reply.response;
  const told = failureReply(route.provider?.errors ?? "openai", reply.failure);
  const more = { "x-moltworker-route": noRoute(route.provider?.id ?? "-"), ...reply.headers };
  for (const [name, value] of Object.entries(more)) told.headers.set(name, value);
  return told;
}

/** What costs nothing goes where it was asked to, once, and past the ledger. */
async function passFree(
  request: Request,
  url: URL,
  { provider, path }: { provider: Provider; path: string },
  context: ModelCallContext,
): Promise<Reply> {
  const upstream = provider.upstream(context.config);
  if (upstream === undefined) {
    return { ok: false, failure: { reason: "not-configured", provider } };
  }
  const limit = context.maxRequestBytes ?? MAX_REQUEST_BYTES;
  const tooLarge: Reply = { ok: false, failure: { reason: "body-too-large", limit } };
  const body = boundBody(request, limit);
  if (body === undefined) return tooLarge;
  const outcome = await attempt(
    {
      provider,
      upstream: { ...upstream, firstByteMs: context.firstByteMs ?? upstream.firstByteMs },
      method: request.method,
      target: targetOf(path, url),
      headers: request.headers,
      body: body.stream,
      signal: request.signal,
      metadata: { agent: context.agentId },
    },
    context.fetch ?? fetch,
  );
  if (body.exceeded()) return tooLarge;
  const way = { "x-moltworker-route": wayHeader(provider.id, upstream, 1) };
  if (!outcome.ok) return { ...outcome, headers: way };
  const { status, headers, answer } = outcome;
  for (const [name, value] of Object.entries(way)) headers.set(name, value);
  const rest =
    answer.kind === "error" ? answer.body : tap(answer, UNHEARD, context.idleMs ?? IDLE_MS);
  return { ok: true, response: new Response(rest, { status, headers }) };
}

function reasonFields(failure: Failure): Record<string, string | number> {
  return {
    reason: failure.reason,
    ...("provider" in failure ? { provider: failure.provider.id } : {}),
    ...("cause" in failure ? { cause: failure.cause } : {}),
    ...("status" in failure ? { status: failure.status } : {}),
  };
}
