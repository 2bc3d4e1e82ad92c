// First program of every npm script: brings what is missing, then hands over to the pinned Node.
// It needs nothing but Node >= 20 and npm, so it imports no package.
import { spawn } from "node:child_process";
import path from "node:path";
import { ensureSystemPackages } from "./bootstrap/system-packages.mjs";
import { ensureNodePackages } from "./bootstrap/node-packages.mjs";
import { ROOT, fail, say } from "./bootstrap/report.mjs";

/** What each command runs, once everything is there, and what it needs of the system. */
/** @type {Record<string, {script: string[], system: "nothing" | "sandbox" | "tests"}>} */
const COMMANDS = {
  start: { script: ["src/cli/main.ts", "start"], system: "sandbox" },
  build: { script: ["src/cli/main.ts", "build"], system: "nothing" },
  deploy: { script: ["src/cli/main.ts", "deploy"], system: "nothing" },
  check: { script: ["scripts/check.mjs"], system: "nothing" },
  test: { script: ["scripts/test.mjs"], system: "tests" },
  bench: { script: ["bench/main.ts"], system: "sandbox" },
  soak: { script: ["soak/main.ts"], system: "sandbox" },
};

const [command = "", ...rest] = process.argv.slice(2);
const wanted = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
const { script, system } =
  wanted ?? fail(`unknown command "${command}". Known: ${Object.keys(COMMANDS).join(", ")}`, 2);

if (Number(process.versions.node.split(".")[0]) < 20) {
  fail(
    `Node ${process.versions.node} is too old: install Node 20 or newer (https://nodejs.org)`,
    1,
  );
}
const asksForHelp = rest.includes("--help") || rest.includes("-h");
await ensureNodePackages();
if (!asksForHelp) await ensureSystemPackages(system);

const bin = path.join(ROOT, "node_modules", ".bin");
const child = spawn(
  path.join(bin, "node"),
  ["--disable-warning=ExperimentalWarning", ...script, ...rest],
  {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH ?? ""}` },
  },
);
// A terminal sends Ctrl-C to the whole group, `kill -INT` to this process alone: passed on in either
// case, and the child takes two at once for one.
process.on("SIGINT", () => child.kill("SIGINT"));
process.on("SIGTERM", () => child.kill("SIGTERM"));
process.on("SIGHUP", () => child.kill("SIGHUP"));
// npm runs this below a shell, which neither passes a signal on nor waits when it is ended itself.
if (process.env.npm_lifecycle_event !== undefined) {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    child.kill("SIGTERM");
  }, 1000);
  watch.unref();
}
child.on("error", (error) => fail(`could not start the pinned Node: ${error.message}`, 1));
child.on("exit", (code, signal) => {
  if (signal) say(`stopped by ${signal}`);
  process.exit(code ?? 1);
});
