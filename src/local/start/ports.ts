import { freePort, tryPort } from "../free-port.ts";

export type PortCheck = { ok: true; port: number } | { ok: false; reason: string };

/**
 * Whether this process may listen there, and which port that is when any will do (0). The port is
 * free again when this answers; the runtime that takes it reports a lost race as an error of its own.
 */
export async function checkPort(host: string, port: number, option: string): Promise<PortCheck> {
  try {
    if (port === 0) return { ok: true, port: await freePort(host) };
    await tryPort(host, port);
    return { ok: true, port };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EADDRINUSE") {
      return {
        ok: false,
        reason: `port ${port} on ${host} is in use: choose another with ${option}`,
      };
    }
    if (code === "EACCES") {
      return { ok: false, reason: `port ${port} needs more rights: choose another with ${option}` };
    }
    return { ok: false, reason: `cannot listen on ${host}:${port} (${String(code ?? error)})` };
  }
}
