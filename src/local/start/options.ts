/** The options of `npm start`: words in, plain data or one clear problem out. */
import { isIP } from "node:net";
import { parseArgs } from "node:util";

export const ENGINE_CHOICES = ["auto", "bubblewrap", "docker", "plain"] as const;
export type EngineChoice = (typeof ENGINE_CHOICES)[number];

export interface StartOptions {
  port: number;
  adminPort: number;
  host: string;
  /** Others than this machine's programs can connect there. */
  exposed: boolean;
  stateDir: string;
  engine: EngineChoice;
  /** `auto`, `off`, or the path of a Chromium. */
  browser: string;
  open: boolean;
  json: boolean;
  watch: boolean;
}

export type ParsedOptions =
  | { kind: "start"; options: StartOptions }
  | { kind: "help" }
  | { kind: "problem"; problem: string };

export const START_HELP = `Usage: npm start -- [options]

Starts the agent on this machine: the Worker in workerd, its storage on disk, the agent in a sandbox.

  --port <n>         port of the Control UI and the API (8787; 0 takes any free one)
  --admin-port <n>   port of the admin API, on loopback only (8788; 0 takes any free one)
  --host <address>   address to listen on (127.0.0.1); another than loopback needs Cloudflare Access
  --state-dir <dir>  where everything that lasts is kept (.moltworker)
  --engine <name>    auto, bubblewrap, docker or plain (auto); plain isolates nothing
  --browser <path>   the Chromium the agent browses with; off: none (auto: whatever there is)
  --no-open          do not open the browser
  --json             one JSON object a line instead of text
  --watch            rebuild and reload when a source file changes
  --help             this text

Settings such as ANTHROPIC_API_KEY come from the environment or .dev.vars; .dev.vars.example lists
them all. npm start needs none of them.
`;

export function parseStartOptions(args: readonly string[]): ParsedOptions {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        port: { type: "string", default: "8787" },
        "admin-port": { type: "string", default: "8788" },
        host: { type: "string", default: "127.0.0.1" },
        "state-dir": { type: "string", default: ".moltworker" },
        engine: { type: "string", default: "auto" },
        browser: { type: "string", default: "auto" },
        "no-open": { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        watch: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }));
  } catch (error) {
    return { kind: "problem", problem: error instanceof Error ? error.message : String(error) };
  }
  if (values.help) return { kind: "help" };

  const port = portNumber(values.port);
  const adminPort = portNumber(values["admin-port"]);
  const engine = ENGINE_CHOICES.find((choice) => choice === values.engine);
  if (port === undefined) return noPort("--port", values.port);
  if (adminPort === undefined) return noPort("--admin-port", values["admin-port"]);
  if (port !== 0 && port === adminPort) {
    return { kind: "problem", problem: `--port and --admin-port are both ${port}` };
  }
  if (engine === undefined) {
    return {
      kind: "problem",
      problem: `--engine "${values.engine}" is none of ${ENGINE_CHOICES.join(", ")}`,
    };
  }
  const loopback = loopbackHost(values.host);
  const host = loopback ?? values.host.replace(/^\[(.*)\]$/, "$1");
  if (isIP(host) === 0) {
    return {
      kind: "problem",
      problem: `--host "${values.host}" is neither localhost nor an address`,
    };
  }
  return {
    kind: "start",
    options: {
      port,
      adminPort,
      host,
      exposed: loopback === undefined,
      stateDir: values["state-dir"],
      engine,
      browser: values.browser,
      open: !values["no-open"],
      json: values.json,
      watch: values.watch,
    },
  };
}

function portNumber(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  return port <= 65_535 ? port : undefined;
}

function noPort(option: string, text: string): ParsedOptions {
  return { kind: "problem", problem: `${option} "${text}" is no port number (0 to 65535)` };
}

/** Only numeric loopback addresses and `localhost`: any other name could resolve to anything. */
function loopbackHost(host: string): string | undefined {
  if (host === "localhost") return "127.0.0.1";
  if (host === "::1" || host === "[::1]") return "::1";
  return /^127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(host) ? host : undefined;
}
