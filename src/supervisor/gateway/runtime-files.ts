import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Isolation } from "../isolation/isolation.ts";
import type { Settings } from "../settings.ts";

/** The folders below the run directory: `agent/` is shown to the agent, `tmp/` is its `/tmp`. */
export function makeRunDirectories(settings: Settings): void {
  mkdirSync(join(settings.runDir, "agent"), { recursive: true, mode: 0o755 });
  mkdirSync(join(settings.runDir, "tmp"), { recursive: true, mode: 0o700 });
}

/** The gateway reads its own token from here (a `file` secret in its config). */
export function writeGatewayToken(settings: Settings, isolation: Isolation, token: string): void {
  const path = join(settings.runDir, "agent", "gateway-token");
  const fresh = `${path}.new`;
  writeFileSync(fresh, token, { mode: 0o600 });
  isolation.give(fresh);
  renameSync(fresh, path);
}

/**
 * Programs other than Node take one file of certificates instead of an extra one. Undefined while
 * the engine has not put the interceptor's certificate in place.
 */
export function writeCaBundle(settings: Settings): string | undefined {
  const own = readIfThere(settings.caFile);
  if (own === undefined) return undefined;
  const path = join(settings.runDir, "agent", "ca-bundle.pem");
  const fresh = `${path}.new`;
  writeFileSync(fresh, `${readIfThere(settings.systemCaFile) ?? ""}\n${own}`, { mode: 0o644 });
  renameSync(fresh, path);
  return path;
}

/** The paths in the generated config are the image's; other folders are put in their place. */
export function localizeConfig(text: string, settings: Settings): string {
  const moved = new Map([
    ["/home/agent", settings.home],
    ["/run/moltworker", settings.runDir],
    ["/opt/moltworker/skills", settings.skillsDir],
  ]);
  return text.replaceAll(/\/home\/agent|\/run\/moltworker|\/opt\/moltworker\/skills/g, (path) =>
    JSON.stringify(moved.get(path) ?? path).slice(1, -1),
  );
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
