/** The ledger of model calls, once none of them is under way. */
import { expect } from "vitest";
import type { SpendCall } from "../../src/protocol/spend.ts";
import type { RunningSystem } from "./running-system.ts";

type Admin = Pick<RunningSystem, "admin">;

/** Newest first. */
export async function callsOf({ admin }: Admin): Promise<SpendCall[]> {
  return ((await admin("/api/spend/calls")) as { calls: SpendCall[] }).calls;
}

/** The same, when all of them have ended. */
export async function endedCalls(system: Admin): Promise<SpendCall[]> {
  const states = async () => (await callsOf(system)).map(({ state }) => state);
  await expect.poll(states).not.toContain("open");
  return callsOf(system);
}
