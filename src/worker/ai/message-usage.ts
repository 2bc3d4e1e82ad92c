/**
 * What Anthropic's usage leaves out of its own totals: a summary that is made on the way, and a model
 * that is asked for advice. Pure.
 * https://platform.claude.com/docs/en/build-with-claude/compaction-threshold
 */
import { isObject, type Json } from "./json.ts";

const COUNTS = [
  "input_tokens",
  "cache_creation_input_tokens",
  "cache_read_input_tokens",
  "output_tokens",
];

export function withOtherIterations(usage: Json): Json {
  const others = otherIterations(usage);
  if (others.length === 0) return usage;
  const sums = COUNTS.map((name) => [
    name,
    [usage, ...others].reduce((sum, each) => sum + number(each[name]), 0),
  ]);
  return { ...usage, ...Object.fromEntries(sums) };
}

/** Another model than the one that was asked for is part of the bill. */
export function asksAnotherModel(usage: Json): boolean {
  return otherIterations(usage).some(({ type }) => type !== "compaction");
}

function otherIterations({ iterations }: Json): Json[] {
  return Array.isArray(iterations)
    ? iterations.filter(isObject).filter(({ type }) => type !== "message")
    : [];
}

function number(value: unknown): number {
  return typeof value === "number" && value > 0 ? value : 0;
}
