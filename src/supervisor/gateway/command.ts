import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import type { AgentProgram } from "../isolation/agent-process.ts";
import type { Settings } from "../settings.ts";

/** What of the image's environment the agent's programs may see, besides what is set here. */
const PASSED_ON = [
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "NODE_USE_ENV_PROXY",
  "LANG",
  "LC_ALL",
  "TZ",
] as const;

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface GatewayCommandOptions {
  settings: Settings;
  /** The supervisor's own environment, of which an allowlist is passed on. */
  env: Record<string, string | undefined>;
  node: string;
  tmpDir: string;
  /** System certificates and the interceptor's, in one file; undefined when there is none. */
  caBundle: string | undefined;
}

/** The unmodified gateway, as its package starts it. */
export function gatewayCommand(options: GatewayCommandOptions): AgentProgram {
  const { settings } = options;
  return {
    argv: [
      options.node,
      join(settings.openclawDir, "openclaw.mjs"),
      "gateway",
      "run",
      "--port",
      String(settings.gatewayPort),
    ],
    env: gatewayEnvironment(options),
    cwd: settings.home,
  };
}

function gatewayEnvironment(options: GatewayCommandOptions): Record<string, string> {
  const { settings, env } = options;
  const passed = PASSED_ON.flatMap((name) => {
    const value = env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    LANG: "C.UTF-8",
    ...Object.fromEntries(passed),
    HOME: settings.home,
    USER: "agent",
    LOGNAME: "agent",
    SHELL: "/bin/bash",
    PATH: env["PATH"] ?? DEFAULT_PATH,
    TMPDIR: options.tmpDir,
    OPENCLAW_NO_RESPAWN: "1",
    OPENCLAW_DISABLE_BONJOUR: "1",
    // Without it a failed start asks the model provider for a diagnosis.
    OPENCLAW_SUPERVISOR_MODE: "external",
    ...compileCacheEnvironment(settings),
    ...certificateEnvironment(settings, options.caBundle),
  };
}

/**
 * The launcher keeps its compile cache in a folder named after its package, and starts itself once
 * more to move in there. Naming that very folder saves the second process; the second variable
 * tells the launcher that it is where it wants to be.
 */
function compileCacheEnvironment(settings: Settings): Record<string, string> {
  const place = packagedCacheFolder(settings.openclawDir);
  const baked = join(settings.compileCache, place);
  const own = join(settings.home, ".cache", "node-compile-cache", place);
  return {
    NODE_COMPILE_CACHE: existsSync(baked) ? baked : own,
    OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED: "1",
  };
}

/** As the launcher names it: version, then time and size of the package's manifest. */
export function packagedCacheFolder(openclawDir: string): string {
  const manifest = join(openclawDir, "package.json");
  try {
    const { version } = packageManifest.parse(JSON.parse(readFileSync(manifest, "utf8")));
    const { mtimeMs, size } = statSync(manifest);
    return join("openclaw", version, `${Math.trunc(mtimeMs)}-${size}`);
  } catch {
    return join("openclaw", "unknown");
  }
}

const packageManifest = z.object({ version: z.string().regex(/^[A-Za-z0-9._-]+$/) });

function certificateEnvironment(
  settings: Settings,
  bundle: string | undefined,
): Record<string, string> {
  if (bundle === undefined) return {};
  return {
    NODE_EXTRA_CA_CERTS: settings.caFile,
    SSL_CERT_FILE: bundle,
    GIT_SSL_CAINFO: bundle,
    REQUESTS_CA_BUNDLE: bundle,
    CURL_CA_BUNDLE: bundle,
  };
}
