import * as z from "zod";
import { SANDBOX_PORTS } from "../protocol/names.ts";

/** What the image tells the supervisor through its environment; everything else comes at boot. */
export interface Settings {
  frontPort: number;
  controlPort: number;
  gatewayPort: number;
  /** The debugging port of the agent's browser, on loopback. */
  browserPort: number;
  /** The gateway's listener for Telegram's updates, as its config names it. */
  telegramPort: number;
  /** Home of the agent: its state survives in here. */
  home: string;
  /** Runtime files. Only its `agent/` and `tmp/` folders are the agent's to see. */
  runDir: string;
  openclawDir: string;
  /** The image's own skills, which the gateway's config names. */
  skillsDir: string;
  /** User and group id that the agent runs as. */
  agentUid: number;
  isolation: "required" | "none";
  /** Certificate of the interceptor; the engine puts it there at run time. */
  caFile: string;
  systemCaFile: string;
  /** Compile cache baked into the image; one in the agent's home serves when it is absent. */
  compileCache: string;
  /** What the sandbox runs on and is made of, to be shown. */
  sandbox: { engine: string; image: string };
  /** BPF program for the agent's processes, used when the file exists. */
  seccompFile: string;
}

export type ParsedSettings =
  | { ok: true; settings: Settings }
  | { ok: false; problems: readonly string[] };

const port = z.coerce.number().int().min(1).max(65_535);
const absolutePath = z.string().regex(/^\/[^\0]*$/, "must be an absolute path");

const environment = z.object({
  MOLTWORKER_FRONT_PORT: port.default(SANDBOX_PORTS.front),
  MOLTWORKER_CONTROL_PORT: port.default(SANDBOX_PORTS.control),
  MOLTWORKER_GATEWAY_PORT: port.default(SANDBOX_PORTS.gateway),
  MOLTWORKER_BROWSER_PORT: port.default(SANDBOX_PORTS.browser),
  MOLTWORKER_TELEGRAM_PORT: port.default(SANDBOX_PORTS.telegram),
  MOLTWORKER_HOME: absolutePath.default("/home/agent"),
  MOLTWORKER_RUN_DIR: absolutePath.default("/run/moltworker"),
  MOLTWORKER_OPENCLAW_DIR: absolutePath.default("/opt/openclaw/node_modules/openclaw"),
  MOLTWORKER_SKILLS_DIR: absolutePath.default("/opt/moltworker/skills"),
  MOLTWORKER_AGENT_UID: z.coerce.number().int().min(1).max(4_294_967_294).default(1000),
  MOLTWORKER_ISOLATION: z.enum(["required", "none"]).default("required"),
  MOLTWORKER_CA_FILE: absolutePath.default("/etc/cloudflare/certs/cloudflare-containers-ca.crt"),
  MOLTWORKER_SYSTEM_CA_FILE: absolutePath.default("/etc/ssl/certs/ca-certificates.crt"),
  MOLTWORKER_COMPILE_CACHE: absolutePath.default("/opt/moltworker/compile-cache"),
  MOLTWORKER_ENGINE: z.string().max(64).default("unknown"),
  MOLTWORKER_IMAGE: z.string().max(256).default("unknown"),
  MOLTWORKER_SECCOMP_FILE: absolutePath.default("/opt/moltworker/agent.bpf"),
});

/** Reads the environment once; nothing else in the supervisor looks at it. */
export function parseSettings(env: Record<string, string | undefined>): ParsedSettings {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      (issue) => `${issue.path.join(".")}: ${issue.message}`,
    );
    return { ok: false, problems };
  }
  const data = parsed.data;
  return {
    ok: true,
    settings: {
      frontPort: data.MOLTWORKER_FRONT_PORT,
      controlPort: data.MOLTWORKER_CONTROL_PORT,
      gatewayPort: data.MOLTWORKER_GATEWAY_PORT,
      browserPort: data.MOLTWORKER_BROWSER_PORT,
      telegramPort: data.MOLTWORKER_TELEGRAM_PORT,
      home: data.MOLTWORKER_HOME,
      runDir: data.MOLTWORKER_RUN_DIR,
      openclawDir: data.MOLTWORKER_OPENCLAW_DIR,
      skillsDir: data.MOLTWORKER_SKILLS_DIR,
      agentUid: data.MOLTWORKER_AGENT_UID,
      isolation: data.MOLTWORKER_ISOLATION,
      caFile: data.MOLTWORKER_CA_FILE,
      systemCaFile: data.MOLTWORKER_SYSTEM_CA_FILE,
      compileCache: data.MOLTWORKER_COMPILE_CACHE,
      sandbox: { engine: data.MOLTWORKER_ENGINE, image: data.MOLTWORKER_IMAGE },
      seccompFile: data.MOLTWORKER_SECCOMP_FILE,
    },
  };
}
