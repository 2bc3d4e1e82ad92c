/**
 * A call that costs something: reserved in the ledger, sent to the first place that answers, and
 * settled at its end. Fails closed: no reservation, no call.
 */
import { limitObeyed } from "./asked-output.ts";
import { attempt, type Outcome } from "./attempt.ts";
import { BODY_DEADLINE_MS, MAX_METERED_BYTES, readBody } from "./body.ts";
import { cacheKeyOf } from "./cache-key.ts";
import type { ModelCallContext, Reply } from "./call-context.ts";
import { callFacts, changedBody, type CallFacts } from "./call-facts.ts";
import { Excerpt } from "./excerpt.ts";
import { attemptedOf, failedSettlement } from "./failed-attempt.ts";
import { membersOf, type Members } from "./json-members.ts";
import { LedgerLine } from "./ledger-line.ts";
import type { CallStart, Candidate, Opened, Reserved } from "./ledger/calls.ts";
import { sourceOf } from "./ledger/routes.ts";
import { cached, capped, failed } from "./metered-reply.ts";
import {
  type MeteredRoute,
  patienceOf,
  type Place,
  placeFor,
  printable,
  routeHeader,
} from "./place.ts";
import type { PricedModel } from "./price.ts";
import { betaOutput } from "./output-bound.ts";
import { nextStep } from "./retry.ts";
import { type Begun, settleAtEnd } from "./settlement.ts";
import { IDLE_MS, tap } from "./tap.ts";
import { TURN_HEADER, TurnRefusals } from "./turn-refusals.ts";

/**
 * Agents whose ledger last said that it keeps answers: hashing each request would hold up all the
 * others for nothing. The first call after it was switched on is not looked up, but kept.
 */
const caching = new Set<string>();
const refusals = new TurnRefusals();

export async function answerMetered(
  request: Request,
  url: URL,
  route: MeteredRoute,
  context: ModelCallContext,
): Promise<Reply | "held"> {
  const limit = Math.min(context.maxRequestBytes ?? MAX_METERED_BYTES, MAX_METERED_BYTES);
  const deadlineMs = context.bodyMs ?? BODY_DEADLINE_MS;
  let body: Awaited<ReturnType<typeof readBody>>;
  try {
    body = await readBody(request, { limit, deadlineMs });
  } catch {
    return { ok: false, failure: { reason: "cancelled" } };
  }
  if (!body.ok) return { ok: false, failure: { reason: body.reason, limit, ms: deadlineMs } };
  try {
    return await new MeteredCall(request, url, route, context).answer(body.bytes);
  } finally {
    body.release();
  }
}

class MeteredCall {
  readonly #request: Request;
  readonly #url: URL;
  readonly #route: MeteredRoute;
  readonly #context: ModelCallContext;
  readonly #ledger: LedgerLine;
  readonly #requestId = crypto.randomUUID();

  constructor(request: Request, url: URL, route: MeteredRoute, context: ModelCallContext) {
    this.#request = request;
    this.#url = url;
    this.#route = route;
    this.#context = context;
    this.#ledger = new LedgerLine(context);
  }

  async answer(bytes: Uint8Array<ArrayBuffer>): Promise<Reply | "held"> {
    const members = membersOf(bytes);
    const facts = members && callFacts(this.#route.wire, this.#route.model, members);
    if (members === undefined || facts === undefined) {
      return { ok: false, failure: { reason: "body-unreadable" } };
    }
    const { model, ...rest } = facts;
    const turn = this.#request.headers.has(TURN_HEADER)
      ? JSON.stringify([this.#context.agentId, this.#url.pathname, model])
      : undefined;
    const repeated = turn === undefined ? undefined : refusals.take(turn, Date.now());
    if (repeated !== undefined) return repeated;
    const beta = betaOutput(this.#request.headers);
    const call: CallStart = {
      ...rest,
      ...(beta === undefined ? {} : { betaOutput: beta }),
      requestId: this.#requestId,
      asked: { provider: this.#route.provider.id, model },
      cacheKey: caching.has(this.#context.agentId) ? await this.#cacheKey(bytes) : "",
    };
    const opened = await this.#ledger.ask(this.#context.spend.open(call));
    if (!opened.ok) return opened.reply;
    if (opened.value.to === "nowhere") return "held";
    if (opened.value.to === "cache") return cached(opened.value.answer, call);
    if (!opened.value.cache) caching.delete(this.#context.agentId);
    else if (call.cacheKey === "") {
      caching.add(this.#context.agentId);
      call.cacheKey = await this.#cacheKey(bytes);
    }
    const reply = await this.#try(call, facts, members, opened.value);
    return turn === undefined ? reply : refusals.tell(turn, reply, Date.now);
  }

  #cacheKey(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    return cacheKeyOf(this.#url, this.#request.headers, bytes);
  }

  async #try(
    call: CallStart,
    facts: CallFacts,
    members: Members,
    opened: Extract<Opened, { to: "provider" }>,
  ): Promise<Reply> {
    const places = opened.candidates.flatMap((candidate) => this.#placeOf(candidate) ?? []);
    if (places.length === 0 && opened.reserved.ok) {
      const { n } = opened.reserved;
      this.#ledger.settle({ n, state: "free", reason: "not-configured", totalMs: 0 });
    }
    const trail: string[] = [];
    let reserved: Reserved = opened.reserved;
    let attempts = 0;
    let waited = 0;
    let last: Reply = {
      ok: false,
      failure: { reason: "not-configured", provider: this.#route.provider },
    };
    for (const [index, place] of places.entries()) {
      const { provider, upstream } = place;
      const firstByteMs =
        index === places.length - 1
          ? upstream.firstByteMs
          : patienceOf(upstream, { setMs: opened.patienceMs, stream: call.stream });
      for (let tries = 1; ; tries += 1) {
        attempts += 1;
        if (attempts > 1) {
          if (this.#request.signal.aborted) return last;
          const again = await this.#ledger.ask(
            this.#context.spend.reserve(call, place.candidate, attempts),
          );
          if (!again.ok) return again.reply;
          reserved = again.value;
        }
        if (!reserved.ok) {
          // A cap met on the way to another place must not hide what went wrong at the first.
          if (attempts > 1) return last;
          return capped(reserved.reached, call);
        }
        if (this.#request.signal.aborted) {
          // Nothing was sent.
          this.#ledger.settle({ n: reserved.n, state: "free", reason: "cancelled", totalMs: 0 });
          return attempts > 1 ? last : { ok: false, failure: { reason: "cancelled" } };
        }
        const began = Date.now();
        const outcome = await attempt(
          {
            provider,
            upstream: { ...upstream, firstByteMs },
            method: "POST",
            target: place.target,
            headers: this.#request.headers,
            body: changedBody(facts, members, {
              model: place.candidate.model,
              ...(reserved.outputLimit === undefined ? {} : { outputLimit: reserved.outputLimit }),
              obeyed: limitObeyed(provider.id, this.#context.config),
            }),
            signal: this.#request.signal,
            metadata: { agent: this.#context.agentId, request: call.requestId },
          },
          this.#context.fetch ?? fetch,
        );
        const headers = {
          "x-moltworker-request-id": call.requestId,
          "x-moltworker-route": routeHeader(place, attempts, trail),
        };
        if (outcome.ok && outcome.answer.kind === "begun") {
          const source = sourceOf(provider.id, this.#context.config);
          const begun = { ...outcome, answer: outcome.answer, call, source, n: reserved.n, began };
          return this.#passOn(begun, headers, {
            // An answer that a cap made shorter is nobody else's.
            ...(opened.cache && call.cacheKey !== "" && reserved.outputLimit === undefined
              ? { cacheKey: call.cacheKey }
              : {}),
            ...(opened.texts
              ? { excerpt: new Excerpt(call.wire, members, this.#context.redact) }
              : {}),
          });
        }
        last = failed(outcome, headers);
        const attempted = attemptedOf(outcome);
        this.#ledger.settle(failedSettlement(reserved.n, outcome, Date.now() - began));
        trail.push(`${printable(place.candidate)}:${attempted.status ?? attempted.reason ?? "?"}`);
        const step = nextStep(
          attempted,
          { tries, placesLeft: places.length - index - 1, waited, jitter: Math.random() },
          Date.now(),
        );
        if (step.act === "answer" || this.#request.signal.aborted) return last;
        if (step.act === "elsewhere") break;
        waited += step.waitMs;
        await new Promise((resolve) => setTimeout(resolve, step.waitMs));
      }
    }
    return last;
  }

  #placeOf(candidate: Candidate): Place | undefined {
    const { config, firstByteMs } = this.#context;
    return placeFor(candidate, { route: this.#route, url: this.#url, config, firstByteMs });
  }

  #passOn(
    { answer, call, source, n, began, status, headers, requestId }: BegunCall,
    more: Record<string, string>,
    kept: Pick<Begun, "cacheKey" | "excerpt">,
  ): Reply {
    const { cacheKey, ...excerpt } = kept;
    const ended = Promise.withResolvers<void>();
    this.#context.waitUntil(ended.promise);
    const stream = tap(
      answer,
      settleAtEnd({
        n,
        call: { ...call, source },
        status,
        contentType: headers.get("content-type") ?? "",
        ...(requestId === undefined ? {} : { providerRequestId: requestId }),
        began,
        firstByteMs: Date.now() - began,
        ...(cacheKey !== undefined && status === 200 ? { cacheKey } : {}),
        ...excerpt,
        now: Date.now,
        settle: (settlement) => {
          this.#ledger.tell(settlement).then(ended.resolve, ended.resolve);
        },
      }),
      this.#context.idleMs ?? IDLE_MS,
    );
    for (const [name, value] of Object.entries(more)) headers.set(name, value);
    return { ok: true, response: new Response(stream, { status, headers }) };
  }
}

/** A provider began to answer. */
interface BegunCall extends Extract<Outcome, { ok: true }> {
  answer: Extract<Extract<Outcome, { ok: true }>["answer"], { kind: "begun" }>;
  call: CallStart;
  source: PricedModel["source"];
  n: number;
  began: number;
}
