/**
 * How the agent is kept apart from the supervisor. Fails closed: when no way works here, the
 * gateway is not started, unless the image itself asked for none.
 */
import type { Settings } from "../settings.ts";
import { maySwitchUser, readOwnCapabilities } from "./capabilities.ts";
import type { Isolation } from "./isolation.ts";
import { noIsolation } from "./none.ts";
import { setuidIsolation } from "./setuid.ts";
import { usernsIsolation, usernsWorks } from "./userns.ts";

export type IsolationProbe =
  | { ok: true; isolation: Isolation }
  | { ok: false; reason: "no-isolation"; message: string };

export async function probeIsolation(settings: Settings): Promise<IsolationProbe> {
  if (settings.isolation === "none") return { ok: true, isolation: noIsolation(settings) };
  const own = readOwnCapabilities();
  if (maySwitchUser(own.status, own.uidMap, settings.agentUid)) {
    return { ok: true, isolation: setuidIsolation(settings) };
  }
  const nested = await usernsWorks(settings);
  if (nested.ok) return { ok: true, isolation: usernsIsolation(settings) };
  return {
    ok: false,
    reason: "no-isolation",
    message:
      "The agent cannot be kept apart from the supervisor here: this process may not switch to " +
      `another user, and a nested user namespace was refused (${nested.why}).`,
  };
}
