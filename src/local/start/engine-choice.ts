/** Which engine runs the sandbox. Pure; fails closed: `auto` never falls back to no isolation. */
import type { EngineChoice } from "./options.ts";

type Probed = { ok: true } | { ok: false; reason: string; mend: string };

export interface Probes {
  bubblewrap: Probed;
  docker: Probed;
}

export type Chosen =
  | { ok: true; kind: "bubblewrap" | "docker" | "plain" }
  | { ok: false; reason: string };

export function chooseEngine(wanted: EngineChoice, { bubblewrap, docker }: Probes): Chosen {
  switch (wanted) {
    case "plain":
      return { ok: true, kind: "plain" };
    case "bubblewrap":
      if (bubblewrap.ok) return { ok: true, kind: "bubblewrap" };
      return { ok: false, reason: `bubblewrap cannot be used: ${told(bubblewrap)}` };
    case "docker":
      if (docker.ok) return { ok: true, kind: "docker" };
      return { ok: false, reason: `Docker cannot be used: ${told(docker)}` };
    case "auto":
      if (bubblewrap.ok) return { ok: true, kind: "bubblewrap" };
      if (docker.ok) return { ok: true, kind: "docker" };
      return {
        ok: false,
        reason: [
          "no engine on this machine can isolate the agent:",
          `  bubblewrap: ${told(bubblewrap)}`,
          `  Docker: ${told(docker)}`,
          "With --engine plain the agent runs as an ordinary process of yours: that isolates nothing.",
        ].join("\n"),
      };
  }
}

function told({ reason, mend }: { reason: string; mend: string }): string {
  return `${reason}. ${mend}.`;
}
