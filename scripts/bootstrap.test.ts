/** The program below every npm script, with the machine it must not trip over. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";

const SCRIPT = path.join(import.meta.dirname, "bootstrap.mjs");
const SYSTEM = path.join(import.meta.dirname, "bootstrap", "system-packages.mjs");

function node(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", env });
  return { status, stderr };
}

test("a Node that is too old is named, with what to install, before anything is installed", () => {
  const old = `Object.defineProperty(process, "versions", { value: { node: "18.20.1" } })`;
  const { status, stderr } = node(["--import", `data:text/javascript,${old}`, SCRIPT, "start"]);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^moltworker: Node 18\.20\.1 is too old: install Node 20 or newer.*\n$/);
});

test("an unknown command is a usage error that lists the known ones", () => {
  const { status, stderr } = node([SCRIPT, "strat"]);
  expect(status).toBe(2);
  expect(stderr).toContain('unknown command "strat"');
  expect(stderr).toContain("start");
});

test("where nothing can be installed, the missing packages are named as what to type", () => {
  const script = `import(${JSON.stringify(SYSTEM)}).then((one) => one.ensureSystemPackages("sandbox"))`;
  const { status, stderr } = node(["-e", script], { PATH: "/nonexistent" });
  expect(status).toBe(0);
  expect(stderr).toMatch(
    /missing system packages: .*bubblewrap.*To install them: sudo apt-get install .*bubblewrap/,
  );
});
