// Brings the system programs that npm cannot: through apt where it may, else by saying what to type.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { ROOT, runWithProgress, say } from "./report.mjs";

/** Programs without which nothing isolated can start, and the Debian package of each. */
const SANDBOX = {
  bwrap: "bubblewrap",
  ip: "iproute2",
  nsenter: "util-linux",
  setpriv: "util-linux",
};

/** The standard programs with which a test opens a backup by hand. */
const TESTS = { age: "age", zstd: "zstd", jq: "jq" };

/**
 * Missing programs are never fatal here: the command that needs one says so itself, in its own
 * words and with its own exit code.
 *
 * @param {"nothing" | "sandbox" | "tests"} purpose what the command needs
 */
export async function ensureSystemPackages(purpose) {
  if (purpose === "nothing" || process.platform !== "linux") return;
  /** @type {Record<string, string>} */
  const wanted = { ...SANDBOX, ...agentTools(), ...(purpose === "tests" ? TESTS : {}) };
  const missing = [
    ...new Set(
      Object.keys(wanted)
        .filter((p) => !onPath(p))
        .map((p) => wanted[p] ?? p),
    ),
  ];
  if (missing.length === 0) return;
  const install = `apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  const prefix = privilege();
  if (!onPath("apt-get") || prefix === undefined) {
    say(`missing system packages: ${missing.join(", ")}. To install them: sudo ${install}`);
    return;
  }
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  /** @param {string} label @param {string[]} args */
  const apt = (label, args) => {
    const [program = "apt-get", ...rest] = [...prefix, "apt-get", "-q", ...args];
    return runWithProgress(label, program, rest, { env });
  };
  await apt("reading the list of system packages", ["update"]);
  const args = install.split(" ").slice(1);
  const result = await apt(`installing ${missing.join(", ")}`, args);
  if (!result.ok)
    say(`could not install them (${lastLine(result.output)}). To try by hand: ${install}`);
}

/** @returns {Record<string, string>} program → Debian package, from the image's description */
function agentTools() {
  const file = path.join(ROOT, "container", "packages.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).programs : {};
}

/** @param {string} program */
function onPath(program) {
  const folders = `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`.split(":");
  return folders.some((folder) => folder !== "" && existsSync(path.join(folder, program)));
}

/** The words that make apt-get run as root, or undefined when it cannot without asking. */
function privilege() {
  if (process.getuid?.() === 0) return [];
  const sudo = spawnSync("sudo", ["-n", "true"], { stdio: "ignore" });
  return sudo.status === 0 ? ["sudo", "-n"] : undefined;
}

/** @param {string} text */
function lastLine(text) {
  return text.trim().split("\n").at(-1) ?? "";
}
