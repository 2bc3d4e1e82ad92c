// Installs the locked npm packages, with install scripts off, when they are missing or stale.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { missingParts } from "../../container/add-native-parts.mjs";
import { ROOT, fail, runWithProgress, say } from "./report.mjs";

/** The two trees: the project's own, and what the sandbox image carries. */
const TREES = [
  { label: "installing the project's packages", folder: ".", flags: [] },
  { label: "installing the agent's packages", folder: "container", flags: ["--omit=optional"] },
];

export async function ensureNodePackages() {
  for (const tree of TREES) await ensureTree(tree);
  const node = path.join(ROOT, "node_modules", ".bin", "node");
  if (!existsSync(node)) {
    fail(
      `there is no pinned Node for ${process.platform}/${process.arch}: Linux on x64 or arm64 is needed`,
      1,
    );
  }
  await addNativeParts(node);
  await finishGatewayInstall(node);
}

/** @param {string} node the pinned one */
async function addNativeParts(node) {
  const home = path.join(ROOT, "container");
  const { nativeParts } = JSON.parse(readFileSync(path.join(home, "packages.json"), "utf8"));
  if (missingParts(home, nativeParts).length === 0) return;
  const args = [path.join(home, "add-native-parts.mjs"), home, ...nativeParts];
  const result = await twice("installing the agent's native parts", node, args, home);
  if (result.ok) return;
  fail(
    `installing the agent's native parts failed:\n${result.output}\nRun "node ${args.join(" ")}" to see all of it.`,
    1,
  );
}

/**
 * The gateway's package does not start before its own last install step has run, and in a sandbox,
 * where the package is read-only, it cannot run it. So this one step, which only touches the
 * package's folder, runs here by name, as it does in the image.
 *
 * @param {string} node the pinned one
 */
async function finishGatewayInstall(node) {
  const home = path.join(ROOT, "container", "node_modules", "openclaw");
  if (!existsSync(path.join(home, ".openclaw-lifecycle-pending"))) return;
  const step = path.join("scripts", "postinstall-bundled-plugins.mjs");
  const result = await runWithProgress("completing the gateway's package", node, [step], {
    cwd: home,
  });
  if (result.ok && !existsSync(path.join(home, ".openclaw-lifecycle-pending"))) return;
  fail(
    `completing the gateway's package failed:\n${result.output}\nRun "node ${step}" in ${home} to see all of it.`,
    1,
  );
}

/** @param {(typeof TREES)[number]} tree */
async function ensureTree({ label, folder, flags }) {
  const home = path.join(ROOT, folder);
  const marker = path.join(home, "node_modules", ".moltworker-lock");
  const wanted = createHash("sha256")
    .update(readFileSync(path.join(home, "package-lock.json")))
    .update(readFileSync(path.join(home, "package.json")))
    .digest("hex");
  if (existsSync(marker) && readFileSync(marker, "utf8") === wanted) return;
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  // Not `npm ci`: it refuses a lockfile that was written where the registry lacks the packages of
  // other platforms. `install` takes the locked versions and integrity too; `--no-save` keeps it
  // from writing the lockfile.
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  const args = ["install", "--no-save", "--ignore-scripts", ...quiet, ...flags];
  const result = await twice(label, npm, args, home);
  if (!result.ok) {
    fail(
      `${label} failed:\n${result.output}\nMend the cause and run the command again, or run "npm ${args.join(" ")}" in ${home} to see all of it.`,
      1,
    );
  }
  writeFileSync(marker, wanted);
}

/**
 * A registry's passing trouble is not the end.
 *
 * @param {string} label
 * @param {string} program
 * @param {string[]} args
 * @param {string} cwd
 */
async function twice(label, program, args, cwd) {
  const result = await runWithProgress(label, program, args, { cwd });
  if (result.ok) return result;
  say(`${label}: failed once, trying again`);
  return await runWithProgress(label, program, args, { cwd });
}
