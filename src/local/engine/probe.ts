/** Which engines this machine can run, and what to type where it cannot. */
import { execFile } from "node:child_process";
import { request } from "node:http";
import {
  TOOL_NAMES,
  type ToolName,
  describeHost,
  findTool,
  searchPath,
} from "./bubblewrap/host.ts";

const DEADLINE = 10_000;
const DOCKER_DEADLINE = 2_000;
const DOCKER_SOCKET = "/var/run/docker.sock";

export type Probe = { ok: true; version: string } | { ok: false; reason: string; mend: string };
export type EngineProbes = { bubblewrap: Probe; docker: Probe };

/** The Debian package of each tool. */
const PACKAGES: Record<ToolName, string> = {
  bwrap: "bubblewrap",
  ip: "iproute2",
  nsenter: "util-linux",
  setpriv: "util-linux",
};

type Outcome = { ok: boolean; output: string };

function run(program: string, words: string[], path: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { env: { PATH: path }, timeout: DEADLINE };
    execFile(program, words, options, (error, stdout, stderr) => {
      resolve({ ok: error === null, output: (stdout + stderr).trim() || (error?.message ?? "") });
    });
  });
}

/** What to do about bubblewrap's complaint that it may not make a namespace. */
export function mendNamespaces(settings: {
  appArmorRestricts: boolean;
  cloneDisabled: boolean;
}): string {
  if (settings.appArmorRestricts) {
    return (
      "Ubuntu's AppArmor blocks user namespaces. Allow them for bubblewrap: type " +
      "`printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile bwrap /usr/bin/bwrap " +
      "flags=(unconfined) { userns, }\\n' | sudo tee /etc/apparmor.d/bwrap && " +
      "sudo systemctl reload apparmor`"
    );
  }
  if (settings.cloneDisabled) {
    return "User namespaces are switched off. Type `sudo sysctl -w kernel.unprivileged_userns_clone=1`";
  }
  return (
    "This machine does not let this user make namespaces. In a container, run it with " +
    "`--security-opt seccomp=unconfined`; elsewhere: Type `sudo sysctl -w user.max_user_namespaces=10000`"
  );
}

async function readSetting(name: string, path: string): Promise<string> {
  const { ok, output } = await run("cat", [`/proc/sys/${name}`], path);
  return ok ? output : "";
}

async function probeBubblewrap(path: string): Promise<Probe> {
  if (process.platform !== "linux") {
    return {
      ok: false,
      reason: "bubblewrap exists on Linux only",
      mend: "Install Docker, or start with `--engine plain`, which isolates nothing",
    };
  }
  const missing = TOOL_NAMES.filter((name) => findTool(name, path) === undefined);
  const host = describeHost(path);
  if (missing.length > 0 || host === undefined) {
    const packages = [...new Set(missing.map((name) => PACKAGES[name]))].join(" ");
    return {
      ok: false,
      reason: `not installed: ${missing.join(", ")}`,
      mend: `Type \`sudo apt-get install ${packages}\``,
    };
  }
  const version = await run(host.tools.bwrap, ["--version"], path);
  const [program = "", ...words] = [
    ...host.asOwner,
    ...[
      host.tools.bwrap,
      "--unshare-user",
      "--unshare-pid",
      "--unshare-net",
      "--uid",
      "0",
      "--gid",
      "0",
    ],
    ...["--cap-drop", "ALL", "--cap-add", "CAP_SETFCAP"],
    ...["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--", "true"],
  ];
  const trial = await run(program, words, path);
  if (trial.ok) return { ok: true, version: version.output.replace(/^bubblewrap /, "") };
  const restricts = "kernel/apparmor_restrict_unprivileged_userns";
  return {
    ok: false,
    reason: `bubblewrap cannot make a sandbox here: ${trial.output}`,
    mend: mendNamespaces({
      appArmorRestricts: (await readSetting(restricts, path)) === "1",
      cloneDisabled: (await readSetting("kernel/unprivileged_userns_clone", path)) === "0",
    }),
  };
}

function probeDocker(socketPath: string): Promise<Probe> {
  return new Promise((resolve) => {
    const fail = (reason: string): void =>
      resolve({ ok: false, reason, mend: "Start Docker, or set DOCKER_HOST to its unix socket" });
    const asked = request(
      { socketPath, path: "/version", timeout: DOCKER_DEADLINE },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("end", () => {
          const version = /"Version":\s*"([^"]+)"/.exec(text)?.[1];
          if (response.statusCode === 200 && version !== undefined) resolve({ ok: true, version });
          else fail(`${socketPath} answered ${response.statusCode}`);
        });
      },
    );
    asked.on("timeout", () => asked.destroy(new Error("no answer")));
    asked.on("error", (error) => fail(`${socketPath}: ${error.message}`));
    asked.end();
  });
}

export async function probeEngines(
  options: { path?: string; dockerSocket?: string } = {},
): Promise<EngineProbes> {
  const [bubblewrap, docker] = await Promise.all([
    probeBubblewrap(options.path ?? searchPath(process.env["PATH"] ?? "")),
    probeDocker(options.dockerSocket ?? DOCKER_SOCKET),
  ]);
  return { bubblewrap, docker };
}
