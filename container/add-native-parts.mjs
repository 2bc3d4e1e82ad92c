// Adds the native parts that the lockfile lists among the optional packages and that the agent needs all
// the same. npm leaves out all optional packages or none, and one that it is given by name it checks
// against the registry's integrity instead of the lockfile's. So npm only fetches each; it is compared
// with the lockfile here, and unpacked when it is the one. Fails closed.
// Usage: node add-native-parts.mjs <folder with package-lock.json and node_modules> <package>…
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const DEADLINE_MS = 120_000;

/**
 * What of these packages is for this machine, by the lockfile, and not installed.
 *
 * @param {string} home
 * @param {readonly string[]} packages
 */
export function missingParts(home, packages) {
  const locked = JSON.parse(readFileSync(path.join(home, "package-lock.json"), "utf8")).packages;
  return packages
    .map((name) => {
      const part = `${name}-linux-${process.arch}-gnu`;
      const { version, integrity } = locked[`node_modules/${part}`] ?? {};
      if (typeof integrity === "string") return { name: part, version, integrity };
      throw new Error(`package-lock.json has no ${part}`);
    })
    .filter(({ name, version }) => installedVersion(home, name) !== version);
}

/** @param {string} home @param {string} name */
function installedVersion(home, name) {
  const file = path.join(home, "node_modules", name, "package.json");
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).version : undefined;
}

/** @param {string} home @param {ReturnType<typeof missingParts>[number]} part */
function addPart(home, { name, version, integrity }) {
  const modules = path.join(home, "node_modules");
  const work = mkdtempSync(path.join(modules, ".native-part-"));
  try {
    const pack = ["pack", `${name}@${version}`, "--silent", "--ignore-scripts"];
    /** @type {import("node:child_process").ExecFileSyncOptions} */
    const limits = { stdio: ["ignore", "ignore", "inherit"], timeout: DEADLINE_MS };
    execFileSync("npm", [...pack, "--pack-destination", work], limits);
    const file = path.join(work, readdirSync(work)[0] ?? "");
    const digest = createHash("sha512").update(readFileSync(file)).digest("base64");
    if (`sha512-${digest}` !== integrity) {
      throw new Error(`${name}@${version} is not the package of the lockfile`);
    }
    const fresh = path.join(work, "package");
    mkdirSync(fresh);
    execFileSync(
      "tar",
      ["-xzf", file, "--strip-components=1", "--no-same-owner", "-C", fresh],
      limits,
    );
    const target = path.join(modules, name);
    rmSync(target, { recursive: true, force: true });
    mkdirSync(path.dirname(target), { recursive: true });
    renameSync(fresh, target);
    process.stdout.write(`${name} ${version}\n`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [home, ...packages] = process.argv.slice(2);
  if (home === undefined || packages.length === 0) {
    process.stderr.write("usage: node add-native-parts.mjs <folder> <package>…\n");
    process.exit(2);
  }
  for (const part of missingParts(home, packages)) addPart(path.resolve(home), part);
}
