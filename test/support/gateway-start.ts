/**
 * `npm start --json` in a network in which Cloudflare AI Gateway is the emulator at the address in
 * `AI_GATEWAY_EMULATOR`. Everything else is as it is, the settings and the addresses in them too.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { PROJECT_ROOT, buildPaths } from "../../src/build/paths.ts";
import { parseStartOptions } from "../../src/local/start/options.ts";
import { reportTo } from "../../src/local/start/report.ts";
import { start } from "../../src/local/start/start.ts";

const parsed = parseStartOptions(process.argv.slice(2));
if (parsed.kind !== "start") throw new Error("these are no start options");
const emulator = process.env["AI_GATEWAY_EMULATOR"];
if (emulator === undefined) throw new Error("AI_GATEWAY_EMULATOR is not set");
const stop = new AbortController();
process.on("SIGINT", () => stop.abort());
process.on("SIGTERM", () => stop.abort());

const usual = buildPaths(PROJECT_ROOT);
const folder = await mkdtemp(path.join(os.tmpdir(), "gateway-start-"));
const localWorkerSource = path.join(folder, "worker.ts");
const network = path.join(import.meta.dirname, "gateway-network.worker.ts");
await writeFile(
  localWorkerSource,
  [
    `import { outboundWith } from ${JSON.stringify(network)};`,
    `export * from ${JSON.stringify(usual.localWorkerSource)};`,
    `export { default } from ${JSON.stringify(usual.localWorkerSource)};`,
    `export const Outbound = outboundWith(${JSON.stringify(emulator)});`,
  ].join("\n"),
);

const report = reportTo(process.stdout, process.stderr, true);
const localWorker = path.join(folder, "worker.mjs");
const paths = { ...usual, localWorkerSource, localWorker };
const ended = await start(parsed.options, report, stop.signal, paths);
if (!ended.ok) report({ event: "error", text: ended.reason });
await rm(folder, { recursive: true, force: true });
process.exit(ended.ok ? 0 : 1);
