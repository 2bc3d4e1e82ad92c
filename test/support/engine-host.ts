// Runs one engine and a workerd on it in a process of its own, so that a test can choose the user
// and kill it. It prints one JSON line per event; standard input's end closes it properly.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { SIDECAR_IMAGE, startEngine } from "../../src/local/engine/engine.ts";
import { BY_ITSELF, workerModule } from "./worker-module.ts";

const HERE = import.meta.dirname;
const kind = process.argv[2] === "plain" ? "plain" : "bubblewrap";
const ingressAddress = process.argv[3] === "container" ? "container" : "loopback";
const dockerSocket = process.argv[4];

const say = (event: unknown): void => void process.stdout.write(`${JSON.stringify(event)}\n`);

const folder = await mkdtemp(join(tmpdir(), "engine-host-"));
const image = {
  entrypoint: ["/opt/node/bin/node", "/opt/program/program.mjs", "an-argument"],
  env: { HOME: "/home/agent", PATH: "/opt/node/bin:/usr/bin:/bin", FROM_IMAGE: "yes" },
  cwd: "/home/agent",
  hostname: "moltworker",
  binds: [
    { source: process.execPath, target: "/opt/node/bin/node", mode: "ro" as const },
    {
      source: join(HERE, "engine-program.mjs"),
      target: "/opt/program/program.mjs",
      mode: "ro" as const,
    },
    {
      source: join(HERE, "../../node_modules/ws"),
      target: "/opt/program/node_modules/ws",
      mode: "ro" as const,
    },
  ],
  memoryBytes: 512 * 1024 ** 2,
  pidsMax: 200,
  cpus: 2,
};
const engine = await startEngine({
  kind,
  stateDir: folder,
  images: { "test-image": image },
  ingressAddress,
  log: (entry) => say({ event: "log", ...entry }),
});

const worker = await workerModule("engine-box.worker.ts");
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    ...BY_ITSELF,
    ...worker,
    host: "127.0.0.1",
    port: 0,
    durableObjects: {
      BOX: { className: "Box", useSQLite: true, container: { imageName: "test-image" } },
    },
    containerEngine: {
      localDocker: {
        socketPath: `unix:${dockerSocket ?? engine.socketPath}`,
        containerEgressInterceptorImage: SIDECAR_IMAGE,
      },
    },
  }),
);
const url = await miniflare.ready;
say({
  event: "ready",
  url: url.href,
  folder,
  socketPath: engine.socketPath,
  limits: engine.limits,
});

process.stdin.resume();
process.stdin.once("end", () => {
  void (async () => {
    await miniflare.dispose();
    await engine.close();
    const { readdir } = await import("node:fs/promises");
    say({ event: "closed", left: await readdir(join(folder, "engine")) });
    await rm(folder, { recursive: true, force: true });
    process.exit(0);
  })();
});
