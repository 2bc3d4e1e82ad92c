/**
 * How the agent is kept apart from the supervisor. Fails closed: when no way works here, the
 * gateway is not started, unless the image itself asked for none.
 */
import type { Settings } from "../settings.ts";
import type { AgentProcess, AgentProgram } from "./agent-process.ts";
import { maySwitchUser, readOwnCapabilities } from "./capabilities.ts";
import { noIsolation } from "./none.ts";
import { setuidIsolation } from "./setuid.ts";
import { usernsIsolation, usernsWorks } from "./userns.ts";

export interface Isolation {
  kind: "setuid" | "userns" | "none";
  /** Where the agent's temporary files go, as the agent sees it. */
  tmpDir: string;
  /** Makes the agent's folders. Runs once, before any of its programs. */
  prepare(): void;
  /** Makes a file that the supervisor wrote the agent's own. */
  give(path: string): void;
  spawn(program: AgentProgram): Promise<AgentProcess>;
  /** Ends whatever still runs as the agent. */
  killAll(): Promise<void>;
}

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
