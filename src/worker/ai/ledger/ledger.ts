/**
 * The ledger of one agent: reserves before a call, settles after it, and knows what is left.
 *
 * Fails closed: a call is counted at its upper bound until its end is told, and for good when that
 * never comes. Reserving and settling are synchronous, so that no two calls can take the same rest.
 */
import type { SpendSettings } from "../../../protocol/spend-settings.ts";
import type { CapMeter } from "../../../protocol/spend.ts";
import type { Sql } from "../../agent/store/schema.ts";
import { boundOf, type PricedModel } from "../price.ts";
import { ReservedAhead, sumsOf } from "./ahead.ts";
import { boundOfCall } from "./call-bound.ts";
import { CallRows, type NewCall, type Row } from "./call-rows.ts";
import { fit, hasRoom, meters, type Raised, type Used } from "./caps.ts";
import type { CallStart, Candidate, Reserved, Settlement } from "./calls.ts";
import { countsOf } from "./counts.ts";
import { DaySums } from "./day-sums.ts";
import { dayOf, monthStart } from "./days.ts";

/** Without a word for so long, a call has no reader and no writer any more. */
const ABANDONED_MS = 60 * 60_000;
const RETENTION_MS = 90 * 86_400_000;
/** A call that is still under way after that gets its own row; most have begun to answer by then. */
const OWN_ROW_MS = 250;
/** An agent's next call comes soon or belongs to another turn. A crash within that time costs it. */
const AHEAD_MS = 10_000;
/** The next request has this one's answer in it, and what a tool said. */
const AHEAD_GROWTH = 1.25;
const AHEAD_MORE_BYTES = 8192;
/** Of what is left under each cap, so that reserving ahead never brings a call to its cap. */
const AHEAD_SHARE = 0.1;

export interface LedgerParts {
  sql: Sql;
  agentId: string;
  settings(): SpendSettings;
  raised(day: string): Raised;
  /** How the price data finds a model of that provider. */
  source(provider: string): PricedModel["source"];
  route(provider: string): "direct" | "cloudflare";
  now(): number;
}

export class Ledger {
  readonly #parts: LedgerParts;
  readonly #rows: CallRows;
  readonly #days: DaySums;
  readonly #ahead: ReservedAhead;
  /** A call under way for which, on the disk, only the reservation ahead stands. */
  #taken: NewCall | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** A runtime that begins counts in full what one before it has left open. */
  constructor(parts: LedgerParts) {
    this.#parts = parts;
    this.#rows = new CallRows(parts.sql, parts.agentId);
    this.#days = new DaySums(parts.sql, parts.agentId);
    this.#ahead = new ReservedAhead(parts.sql, parts.agentId);
    const { kept } = this.#ahead;
    if (kept !== undefined) {
      const whose = { requestId: "", attempt: 1, channel: "", stream: false };
      this.#rows.insertOpen({ ...kept, ...whose, n: this.#rows.number() });
      this.#ahead.drop();
    }
    this.#countInFull(this.#rows.openSince(parts.now()));
  }

  reserve(call: CallStart, candidate: Candidate, attempt: number, now: number): Reserved {
    const { bound, known } = boundOfCall(call, this.#target(candidate), this.#book());
    const { inputTokens: input, inputNano, outputTokens: asked, outputNano } = bound;
    const all = this.meters(now);
    const fitting = fit(bound, all);
    if (!fitting.ok) return { ok: false, reason: "cap", reached: fitting.reached };
    const output = fitting.outputTokens;
    const lowered = output < asked;
    const reserved: NewCall = {
      n: this.#rows.number(),
      at: now,
      day: dayOf(now),
      requestId: call.requestId,
      attempt,
      channel: call.channel ?? "",
      provider: candidate.provider,
      model: candidate.model,
      wire: call.wire,
      route: this.#parts.route(candidate.provider),
      stream: call.stream,
      input,
      output,
      nano: inputNano + (lowered ? Math.ceil((outputNano * output) / asked) : outputNano),
      priceKnown: known,
    };
    if (this.#takesAhead(reserved, all)) {
      this.#taken = reserved;
      this.#later(OWN_ROW_MS, () => this.writeTaken());
    } else {
      this.#rows.insertOpen(reserved);
      this.#makeRoom(now);
    }
    return { ok: true, n: reserved.n, ...(lowered ? { outputLimit: output } : {}) };
  }

  /** A cached answer: a row that costs nothing. */
  noteCached(call: CallStart, now: number): void {
    const n = this.#rows.number();
    this.#rows.insertCached({
      n,
      at: now,
      day: dayOf(now),
      requestId: call.requestId,
      attempt: 1,
      channel: call.channel ?? "",
      ...call.asked,
      wire: call.wire,
      route: "cache",
      stream: call.stream,
      ...{ input: 0, output: 0, nano: 0, priceKnown: true },
    });
    const row = this.#rows.find(n);
    if (row !== undefined) this.#days.add(row);
  }

  /**
   * The end of a call. A second word about the same call counts only over `unsettled`, which was a
   * guess about a call whose end came late.
   *
   * @returns whose call it was
   */
  settle(settlement: Settlement): { provider: string; model: string } | undefined {
    if (settlement.n === this.#taken?.n) this.writeTaken();
    const row = this.#rows.find(settlement.n);
    if (row === undefined || (row.state !== "open" && row.state !== "unsettled")) {
      return undefined;
    }
    const counts = countsOf(row, settlement, this.#target(row), this.#book());
    if (row.state === "unsettled") this.#days.remove(row);
    this.#rows.settle(row.n, counts, settlement);
    const settled = this.#rows.find(row.n);
    if (settled !== undefined) this.#days.add(settled);
    if (counts.state === "settled") this.#reserveAhead(row);
    return { provider: row.provider, model: row.model };
  }

  /** Whoever reads the rows of the calls wants all of them. */
  writeTaken(): void {
    if (this.#taken === undefined) return;
    this.#rows.insertOpen(this.#taken);
    this.#taken = undefined;
    this.#dropAhead();
  }

  /** Counts in full what nobody will settle any more, and lets rows go after 90 days. */
  tidy(now: number): void {
    this.#countInFull(this.#rows.openSince(now - ABANDONED_MS));
    this.#rows.forgetBefore(now - RETENTION_MS);
  }

  meters(now: number): CapMeter[] {
    const { settings, raised } = this.#parts;
    const { caps } = settings();
    if (Object.values(caps).every((cap) => cap === undefined)) return [];
    const day = dayOf(now);
    return meters(caps, raised(day), this.#used(day));
  }

  #used(day: string): Used {
    const since = (from: string) => {
      const reserved = this.#rows.reserved(from, day);
      const ahead = this.#taken === undefined ? undefined : this.#ahead.kept;
      if (ahead !== undefined && ahead.day >= from && ahead.day <= day) {
        reserved.nano += ahead.nano;
        reserved.tokens += ahead.input + ahead.output;
      }
      return { spent: this.#days.spent(from, day), reserved };
    };
    return { day: since(day), month: since(monthStart(day)) };
  }

  #takesAhead(call: NewCall, all: readonly CapMeter[]): boolean {
    const { kept } = this.#ahead;
    return (
      this.#taken === undefined &&
      kept !== undefined &&
      this.#ahead.covers(call) &&
      hasRoom(sumsOf(kept), all)
    );
  }

  #reserveAhead(last: Row): void {
    if (this.#taken !== undefined || last.route === "cache") return;
    const now = this.#parts.now();
    const input = Math.ceil(last.input * AHEAD_GROWTH) + AHEAD_MORE_BYTES;
    const bound = boundOf(input, last.output, this.#target(last), this.#book());
    const ahead = {
      at: now,
      day: dayOf(now),
      provider: last.provider,
      model: last.model,
      wire: last.wire,
      route: last.route,
      input,
      output: last.output,
      nano: bound.inputNano + bound.outputNano,
      priceKnown: bound.known,
    };
    if (!hasRoom(sumsOf(ahead), this.meters(now), AHEAD_SHARE)) return this.#dropAhead();
    this.#ahead.keep(ahead);
    this.#later(AHEAD_MS, () => this.#dropAhead());
  }

  /** What is reserved ahead gives way to a call that is made. */
  #makeRoom(now: number): void {
    const { kept } = this.#ahead;
    if (kept === undefined || this.#taken !== undefined) return;
    if (!hasRoom(sumsOf(kept), this.meters(now))) this.#dropAhead();
  }

  #dropAhead(): void {
    this.#stopTimer();
    this.#ahead.drop();
  }

  #later(ms: number, act: () => void): void {
    this.#stopTimer();
    this.#timer = setTimeout(act, ms);
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
  }

  #countInFull(rows: readonly Row[]): void {
    for (const row of rows) {
      this.#rows.markUnsettled(row.n);
      this.#days.add({ ...row, state: "unsettled" });
    }
  }

  #book() {
    const { prices: own, worstCase } = this.#parts.settings();
    return { own, worstCase };
  }

  #target({ provider, model }: { provider: string; model: string }): PricedModel {
    return { provider, model, source: this.#parts.source(provider) };
  }
}
