/** The local image, from the same description as the Dockerfile. */
import { access } from "node:fs/promises";
import path from "node:path";
import * as image from "../../../container/image.ts";
import type { BuildPaths } from "../../build/paths.ts";
import type { EngineImage } from "../engine/image.ts";

/** The name under which the engine knows the image. */
export const IMAGE_NAME = "moltworker-sandbox";

export function localImage(
  engine: "bubblewrap" | "plain",
  paths: Pick<BuildPaths, "containerModules" | "supervisor" | "agentProgram" | "skills">,
  node: string,
  home: string,
  /** Host folder of the baked compile cache, when there is one. */
  compileCache?: string,
): EngineImage {
  const { SANDBOX } = image;
  return {
    entrypoint: [...image.ENTRYPOINT],
    env: {
      ...image.ENVIRONMENT,
      MOLTWORKER_ENGINE: engine,
      MOLTWORKER_IMAGE: "programs of this machine",
    },
    cwd: image.CWD,
    hostname: image.HOSTNAME,
    binds: [
      { source: path.dirname(path.dirname(node)), target: SANDBOX.node, mode: "ro" },
      { source: paths.containerModules, target: SANDBOX.openclawModules, mode: "ro" },
      { source: paths.supervisor, target: SANDBOX.supervisor, mode: "ro" },
      { source: paths.agentProgram, target: SANDBOX.agentProgram, mode: "ro" },
      { source: paths.skills, target: SANDBOX.skills, mode: "ro" },
      { source: home, target: SANDBOX.home, mode: "rw" },
      ...(compileCache === undefined
        ? []
        : [{ source: compileCache, target: SANDBOX.compileCache, mode: "ro" as const }]),
    ],
    memoryBytes: image.LIMITS.memoryBytes,
    pidsMax: image.LIMITS.pidsMax,
  };
}

/** Tools of the image that this host, whose programs the local sandbox sees, does not have. */
export async function missingTools(folders: readonly string[]): Promise<image.Tool[]> {
  const missing: image.Tool[] = [];
  for (const tool of image.TOOLS) {
    const found = await Promise.all(
      folders.map((folder) =>
        access(path.join(folder, tool.program)).then(
          () => true,
          () => false,
        ),
      ),
    );
    if (!found.includes(true)) missing.push(tool);
  }
  return missing;
}

/** Where the sandbox looks: the host's own program folders, mounted read-only. */
export const SYSTEM_FOLDERS = ["/usr/local/bin", "/usr/bin", "/usr/sbin", "/bin"] as const;

export function missingToolsText(missing: readonly image.Tool[]): string {
  const programs = missing.map((tool) => tool.program).join(", ");
  const packages = missing.map((tool) => tool.package).join(" ");
  return `the agent will miss ${programs}: sudo apt-get install -y ${packages}`;
}
