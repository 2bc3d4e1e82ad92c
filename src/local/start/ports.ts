import { once } from "node:events";
import net from "node:net";

export type PortCheck = { ok: true; port: number } | { ok: false; reason: string };

/**
 * Whether this process may listen there, and which port that is when any will do. The port is free
 * again when this answers; the runtime that takes it reports a lost race as an error of its own.
 */
export async function checkPort(host: string, port: number, option: string): Promise<PortCheck> {
  const server = net.createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, "listening");
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
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") return { ok: false, reason: "no address" };
  return { ok: true, port: address.port };
}
