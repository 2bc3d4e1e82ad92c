import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Where the gateway reads its config, and where the last one it accepted is kept. */
export function configPaths(home: string): { config: string; accepted: string } {
  return {
    config: join(home, ".openclaw", "openclaw.json"),
    accepted: join(home, ".moltworker", "openclaw.accepted.json"),
  };
}

/**
 * Writes the text unless the file already holds exactly that. The gateway starts 3 to 6 seconds
 * slower after its config changed, so an unchanged one keeps its bytes and its time.
 */
export function writeConfig(path: string, text: string): boolean {
  if (readText(path) === text) return false;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.new`;
  writeFileSync(fresh, text, { mode: 0o600 });
  renameSync(fresh, path);
  return true;
}

export function acceptConfig(home: string): boolean {
  const { config, accepted } = configPaths(home);
  const text = readText(config);
  return text !== undefined && writeConfig(accepted, text);
}

export function revertConfig(home: string): boolean {
  const { config, accepted } = configPaths(home);
  const text = readText(accepted);
  return text !== undefined && writeConfig(config, text);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
