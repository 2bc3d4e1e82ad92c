/** Chooses the engine, prepares what it needs, and opens it. */
import { chown } from "node:fs/promises";
import path from "node:path";
import { hasCompileCache } from "../../build/compile-cache.ts";
import type { BuildPaths } from "../../build/paths.ts";
import { SIDECAR_IMAGE, probeEngines, startEngine } from "../engine/engine.ts";
import type { Closers } from "./closers.ts";
import { INTERCEPTOR_IMAGE, dockerSocket, prepareDocker } from "./docker.ts";
import { chooseEngine } from "./engine-choice.ts";
import type { EngineChoice } from "./options.ts";
import { unreadableByOthers, unreadableText } from "./readable.ts";
import type { Report } from "./report.ts";
import { IMAGE_NAME, localImage } from "./sandbox-image.ts";

export interface EngineNeeds {
  wanted: EngineChoice;
  paths: BuildPaths;
  home: string;
  stateDir: string;
  report: Report;
  closers: Closers;
}

export type OpenedEngine =
  | {
      ok: true;
      kind: "bubblewrap" | "docker" | "plain";
      socketPath: string;
      image: string;
      /** The image by which workerd asks for the part that carries the outbound traffic. */
      interceptorImage: string;
      limits: readonly string[];
    }
  | { ok: false; reason: string };

export async function openEngine(needs: EngineNeeds): Promise<OpenedEngine> {
  const { wanted, report } = needs;
  const socketPath = dockerSocket(process.env);
  const chosen = chooseEngine(wanted, await probeEngines({ dockerSocket: socketPath }));
  if (!chosen.ok) return chosen;
  if (chosen.kind === "docker") {
    report({ event: "step", text: "building the sandbox image with Docker (minutes, once)" });
    const prepared = await prepareDocker(needs.paths.root, IMAGE_NAME);
    if (!prepared.ok) return prepared;
    return {
      ok: true,
      kind: "docker",
      socketPath,
      image: IMAGE_NAME,
      interceptorImage: INTERCEPTOR_IMAGE,
      limits: ["the agent's home lies in the container: what is not backed up goes with it"],
    };
  }
  if (chosen.kind === "plain") {
    report({
      event: "warning",
      text: "--engine plain isolates NOTHING: the agent's programs can read and change all you can",
    });
  }
  const compileCache =
    chosen.kind === "bubblewrap" && (await hasCompileCache(needs.paths))
      ? needs.paths.compileCache
      : undefined;
  const engine = await startEngine({
    kind: chosen.kind,
    stateDir: needs.stateDir,
    images: {
      [IMAGE_NAME]: localImage(
        chosen.kind,
        needs.paths,
        process.execPath,
        needs.home,
        compileCache,
      ),
    },
    log: ({ stream, line }) =>
      report({
        event: "log",
        level: stream === "engine" ? "warn" : "debug",
        text: line,
      }),
  });
  needs.closers.add("sandbox engine", () => engine.close());
  const { uid, gid } = engine.owner;
  if (uid !== process.getuid?.()) {
    const { openclaw, containerModules, supervisor, skills, root } = needs.paths;
    const parts = [containerModules, openclaw, path.join(openclaw, "openclaw.mjs")];
    const unreadable = await unreadableByOthers([...parts, supervisor, skills]);
    if (unreadable !== undefined) {
      return { ok: false, reason: unreadableText(unreadable, uid, root) };
    }
  }
  await chown(needs.home, uid, gid);
  return {
    ok: true,
    kind: chosen.kind,
    socketPath: engine.socketPath,
    image: IMAGE_NAME,
    interceptorImage: SIDECAR_IMAGE,
    limits: engine.limits,
  };
}
