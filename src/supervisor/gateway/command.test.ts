import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parseSettings } from "../settings.ts";
import { gatewayCommand } from "./command.ts";

function argvWith(gatewayImports: string): readonly string[] {
  const parsed = parseSettings({ MOLTWORKER_GATEWAY_IMPORTS: gatewayImports });
  if (!parsed.ok) throw new Error(parsed.problems.join("\n"));
  const { settings } = parsed;
  return gatewayCommand({ settings, env: {}, node: "/n", tmpDir: "/t", caBundle: undefined }).argv;
}

const GATEWAY = ["/opt/openclaw/node_modules/openclaw/openclaw.mjs", "gateway", "run"];
const PORT = ["--port", "18789"];

test("the gateway's imports are shortened where the image brings what does it", () => {
  const folder = mkdtempSync(join(tmpdir(), "gateway-command-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "gateway-imports.mjs");
  expect(argvWith(file)).toEqual(["/n", ...GATEWAY, ...PORT]);
  writeFileSync(file, "");
  expect(argvWith(file)).toEqual(["/n", "--import", file, ...GATEWAY, ...PORT]);
});
