/** What the numbers were measured on. */
import { readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { z } from "zod";
import { PROJECT_ROOT } from "../src/build/paths.ts";

const manifest = z.object({ version: z.string() });

function versionOf(folder: string): string {
  const text = readFileSync(path.join(PROJECT_ROOT, folder, "package.json"), "utf8");
  return manifest.parse(JSON.parse(text)).version;
}

/** One paragraph. `loadBefore` is the load of the minute before the bench began. */
export function machineLine(loadBefore: number, now: Date): string {
  const [cpu] = os.cpus();
  const memory = Math.round(os.totalmem() / 2 ** 30);
  return [
    `${now.toISOString().slice(0, 16).replace("T", " ")} UTC`,
    `${os.cpus().length} × ${cpu?.model.trim() ?? "unknown processor"}, ${memory} GiB`,
    `Linux ${os.release()}`,
    `load ${loadBefore.toFixed(2)} before, ${os.loadavg()[0]?.toFixed(2)} after`,
    ...(os.getPriority() === 0 ? [] : [`niceness ${os.getPriority()}`]),
    `Node ${process.versions.node}`,
    `openclaw ${versionOf("container/node_modules/openclaw")}`,
    `workerd ${versionOf("node_modules/workerd")}`,
    `miniflare ${versionOf("node_modules/miniflare")}`,
  ].join("; ");
}
