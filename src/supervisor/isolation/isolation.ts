/** How the agent is kept apart from the supervisor: what each way of it does. */
import type { AgentProcess, AgentProgram } from "./agent-process.ts";

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
