/** A port that nobody else is about to take. */
import { randomInt } from "node:crypto";
import { readFile } from "node:fs/promises";
import net from "node:net";

const LOWEST = 10_000;
/** How many ports below the system's own range are drawn from. */
const SPAN = 12_000;
const TRIES = 50;
/** Linux's default, where the range cannot be read. */
const DEFAULT_FIRST_EPHEMERAL = 32_768;

/**
 * A TCP port that is free on this host. It is drawn from below the range out of which the system
 * itself serves `listen(0)` and outgoing connections (`net.ipv4.ip_local_port_range`), so it stays
 * free until the caller listens there: another program of this machine would have to name it.
 *
 * @throws what `listen` reports, when no port of this host can be had.
 */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  const end = Math.max(await firstEphemeral(), LOWEST + 1000);
  const start = Math.max(LOWEST, end - SPAN);
  for (let tries = 1; ; tries += 1) {
    const port = randomInt(start, end);
    try {
      await tryPort(host, port);
      return port;
    } catch (error) {
      if (tries === TRIES || !isInUse(error)) throw error;
    }
  }
}

/** Listens there and stops again. @throws what `listen` reports. */
export function tryPort(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve()));
  });
}

function isInUse(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}

async function firstEphemeral(): Promise<number> {
  try {
    const text = await readFile("/proc/sys/net/ipv4/ip_local_port_range", "utf8");
    const first = Number.parseInt(text, 10);
    return Number.isInteger(first) ? first : DEFAULT_FIRST_EPHEMERAL;
  } catch {
    return DEFAULT_FIRST_EPHEMERAL;
  }
}
