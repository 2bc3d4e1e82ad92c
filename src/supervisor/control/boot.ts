import { createHash } from "node:crypto";
import type { BootDocument } from "../../protocol/boot.ts";
import { CONTROL_PROTOCOL } from "../../protocol/names.ts";

export type BootDecision =
  | { ok: true; action: "start" | "already" }
  | { ok: false; status: 409 | 422; reason: "booted-otherwise" | "unknown-protocol" };

/** The first boot document wins; the same one again is answered like the first. */
export function decideBoot(booted: BootDocument | undefined, asked: BootDocument): BootDecision {
  if (asked.protocol > CONTROL_PROTOCOL) {
    return { ok: false, status: 422, reason: "unknown-protocol" };
  }
  if (booted === undefined) return { ok: true, action: "start" };
  const same =
    booted.startGeneration === asked.startGeneration &&
    digest(booted.controlToken) === digest(asked.controlToken);
  return same
    ? { ok: true, action: "already" }
    : { ok: false, status: 409, reason: "booted-otherwise" };
}

/** Comparing digests tells nothing about a token by its timing. */
function digest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
