/** A Worker of the tests as workerd is given it: bundled and dated as the product's own is. */
import { build } from "esbuild";
import path from "node:path";
import { COMPATIBILITY_DATE } from "../../src/worker/version.ts";

/** For Miniflare: nothing is asked of an outside service, and nothing is told one. */
export const BY_ITSELF = { cf: false, telemetry: { enabled: false } } as const;

export interface WorkerModule {
  modules: true;
  script: string;
  compatibilityDate: string;
}

/** @param file in this folder */
export async function workerModule(file: string): Promise<WorkerModule> {
  const { outputFiles } = await build({
    entryPoints: [path.join(import.meta.dirname, file)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    logLevel: "silent",
  });
  return {
    modules: true,
    script: outputFiles[0]?.text ?? "",
    compatibilityDate: COMPATIBILITY_DATE,
  };
}
