/** The most that a call can come to before anybody knows its end. Pure. */
import { outputBound } from "../output-bound.ts";
import { boundOf, contextWindow, NANO, type PriceBook, type PricedModel } from "../price.ts";
import { factorOf, usdOfFees } from "../surcharges.ts";
import { WIRE } from "../wire.ts";
import type { CallStart } from "./calls.ts";
import type { Bound } from "./caps.ts";

/** Of one picture, however few bytes it has: billed by its size in pixels, dearest at gpt-4o-mini. */
const IMAGE_TOKENS = 50_000;
/** Of providers that answer for their own models alone. */
const OWN_IMAGE_TOKENS: ReadonlyMap<string, number> = new Map([
  ["anthropic", 5000],
  ["google", 5000],
]);

export function boundOfCall(
  call: CallStart,
  plain: PricedModel,
  book: PriceBook,
): { bound: Bound; known: boolean } {
  const { provider, model } = plain;
  const images = (call.images ?? 0) * (OWN_IMAGE_TOKENS.get(provider) ?? IMAGE_TOKENS);
  const text = call.remote ? Math.max(call.inputBytes, contextWindow(plain)) : call.inputBytes;
  const input = text + images;
  const asked = call.outputAsked ?? outputBound(plain, call.wire, call.betaOutput) * call.choices;
  const target = { ...plain, factor: factorOf(call.mode ?? {}, call.wire, model) };
  const { inputNano, outputNano, known } = boundOf(input, asked, target, book);
  return {
    known,
    bound: {
      inputTokens: input,
      inputNano: inputNano + Math.ceil(usdOfFees(call.fees ?? []) * NANO),
      outputTokens: asked,
      outputNano,
      ...(WIRE[call.wire].outputLimits.length > 0
        ? { leastOutput: call.leastOutput * call.choices }
        : {}),
    },
  };
}
