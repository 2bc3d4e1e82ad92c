/** Everything that can be refused before anything is built or started. */
import { completeAccess } from "../../worker/access/cloudflare-access/settings.ts";
import { parseConfig } from "../../worker/config.ts";
import type { Config } from "../../worker/config.ts";
import type { ConfigProblem } from "../../worker/config/reading.ts";
import type { Closers } from "./closers.ts";
import { endLeftovers } from "./leftovers.ts";
import { takeLock } from "./lock.ts";
import type { Lock } from "./lock.ts";
import { demoSettings, openModel, usesDemoModel } from "./model.ts";
import type { StartOptions } from "./options.ts";
import { checkPort } from "./ports.ts";
import type { Report } from "./report.ts";
import { ADMIN_ADDRESS } from "./runtime.ts";
import { keptBackupKey, keptGatewayToken, randomToken } from "./secrets.ts";
import { readSettings } from "./settings.ts";
import { openStateDir } from "./state-dir.ts";

export interface Prepared {
  stateDir: string;
  lock: Lock;
  port: number;
  adminPort: number;
  /** Where people open the agent: `http://host:port`, or the address that was set for others. */
  origin: string;
  gatewayToken: string;
  /** True when the person set MOLTBOT_GATEWAY_TOKEN. */
  ownToken: boolean;
  /** True when the person set BACKUP_KEY. */
  ownKey: boolean;
  demoModel: boolean;
  /** The Worker's settings, as strings and parsed. */
  bindings: Record<string, string>;
  config: Config;
}

export type Preparation = { ok: true; prepared: Prepared } | { ok: false; reason: string };

export async function prepare(
  root: string,
  options: StartOptions,
  report: Report,
  closers: Closers,
): Promise<Preparation> {
  const settings = await readSettings(root, process.env);
  if (!settings.ok) return settings;
  const refused = refuseSettings(settings.values, options);
  if (refused !== undefined) return { ok: false, reason: refused };
  for (const text of settings.notes) report({ event: "note", text });

  const state = await openStateDir(options.stateDir);
  if (!state.ok) return state;
  const taken = await takeLock(state.dir);
  if (!taken.ok) return { ok: false, reason: taken.reason };
  closers.add("lock", () => taken.lock.release());
  if (taken.left !== undefined && (await endLeftovers(taken.left.pid)) > 0) {
    report({ event: "note", text: "the last start was killed; ended what it had left running" });
  }

  const port = await checkPort(options.host, options.port, "--port");
  if (!port.ok) return port;
  const adminPort = await checkPort(ADMIN_ADDRESS, options.adminPort, "--admin-port");
  if (!adminPort.ok) return adminPort;

  const model = await openModel(settings.values, closers);
  const local = `http://${urlHost(options.host)}:${port.port}`;
  const ownToken = settings.values["MOLTBOT_GATEWAY_TOKEN"];
  const gatewayToken = ownToken ?? (await keptGatewayToken(state.dir));
  const ownKey = settings.values["BACKUP_KEY"];
  const backupKey = ownKey ?? (await madeBackupKey(state.dir, report));
  const bindings = {
    WORKER_URL: [...new Set([local, `http://localhost:${port.port}`])].join(","),
    ...settings.values,
    ...model.settings,
    MOLTBOT_GATEWAY_TOKEN: gatewayToken,
    BACKUP_KEY: backupKey,
  };
  const parsed = parseConfig(bindings);
  if (!parsed.ok) return { ok: false, reason: problemsText(parsed.problems) };
  return {
    ok: true,
    prepared: {
      stateDir: state.dir,
      lock: taken.lock,
      port: port.port,
      adminPort: adminPort.port,
      origin: (options.exposed ? parsed.config.workerOrigins[0] : undefined) ?? local,
      gatewayToken,
      ownToken: ownToken !== undefined,
      ownKey: ownKey !== undefined,
      demoModel: model.demo,
      bindings,
      config: parsed.config,
    },
  };
}

/** What stands against these settings, asked before anything is written. */
function refuseSettings(
  settings: Readonly<Record<string, string>>,
  options: StartOptions,
): string | undefined {
  const parsed = parseConfig({
    MOLTBOT_GATEWAY_TOKEN: randomToken(),
    ...settings,
    ...(usesDemoModel(settings) ? demoSettings("http://127.0.0.1/v1") : {}),
  });
  if (!parsed.ok) return problemsText(parsed.problems);
  return options.exposed ? refuseExposure(options.host, settings, parsed.config) : undefined;
}

function problemsText(problems: readonly ConfigProblem[]): string {
  const lines = problems.map(({ name, problem, mend }) => `  ${name} ${problem}. ${mend}`);
  return `the settings have problems:\n${lines.join("\n")}`;
}

/** Fails closed: who can be reached by others needs an admin login that holds against others. */
function refuseExposure(
  host: string,
  settings: Readonly<Record<string, string>>,
  { access }: Config,
): string | undefined {
  const complete = completeAccess(access);
  const missing = [
    ...(complete.ok ? [] : complete.missing),
    ...(settings["WORKER_URL"] === undefined ? ["WORKER_URL"] : []),
  ];
  if (missing.length === 0) return undefined;
  return (
    `--host ${host} is not a loopback address. Others could then reach the agent, and the local ` +
    `admin link is only safe on this machine. Set ${missing.join(", ")}, so that Cloudflare Access ` +
    `logs admins in; or use 127.0.0.1 (an SSH tunnel reaches it from elsewhere), or npm run deploy`
  );
}

async function madeBackupKey(dir: string, report: Report): Promise<string> {
  const key = await keptBackupKey(dir);
  if (key.made) {
    report({
      event: "note",
      text: `made the key that opens the backups: keep a copy of ${key.file}, without it they are lost`,
    });
  }
  return key.value;
}

function urlHost(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
