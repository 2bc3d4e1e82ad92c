/** A process between two others that only passes bytes on: what any such process costs on this machine. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";

export interface Relay {
  url: string;
  close(): Promise<void>;
}

/** @param url where to, on this machine */
export async function startRelay(url: string): Promise<Relay> {
  const program = path.join(import.meta.dirname, "stand-in", "relay.mjs");
  const child = spawn(process.execPath, [program, new URL(url).port], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [port] = await once(createInterface({ input: child.stdout }), "line");
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
  };
}
