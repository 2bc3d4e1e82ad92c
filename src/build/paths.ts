import path from "node:path";

/** Where the build reads and writes, from the project's folder. */
export function buildPaths(root: string) {
  const at = (...parts: string[]) => path.join(root, ...parts);
  return {
    root,
    supervisorSource: at("src", "supervisor", "main.ts"),
    supervisor: at("dist", "supervisor.mjs"),
    agentProgramSource: at("src", "supervisor", "agent-program.ts"),
    agentProgram: at("dist", "agent-program.mjs"),
    localWorkerSource: at("src", "local", "worker.ts"),
    localWorker: at("dist", "local-worker.mjs"),
    operatorSource: at("src", "local", "operator.ts"),
    operator: at("dist", "operator.mjs"),
    controlUi: at("container", "node_modules", "openclaw", "dist", "control-ui"),
    openclaw: at("container", "node_modules", "openclaw"),
    containerModules: at("container", "node_modules"),
    skills: at("container", "skills"),
    adminUiSource: at("src", "admin-ui"),
    protocolSource: at("src", "protocol"),
    adminUi: at("dist", "admin-ui"),
    compileCache: at("dist", "compile-cache"),
    assets: at("dist", "assets"),
    assetsMarker: at("dist", "assets.json"),
    dockerfile: at("container", "Dockerfile"),
    packagesJson: at("container", "packages.json"),
    packagesText: at("container", "packages.txt"),
    outputMaximums: at("src", "worker", "ai", "output-maximums.ts"),
    settingsExample: at(".dev.vars.example"),
  };
}

export type BuildPaths = ReturnType<typeof buildPaths>;

/** The folder of this checkout, found from this module. */
export const PROJECT_ROOT = path.resolve(import.meta.dirname, "..", "..");
