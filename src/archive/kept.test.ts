import { expect, it } from "vitest";
import { isGatewayDatabase, isKept, isKeptFolder, mayMatter } from "./kept.ts";

it.each([
  "skills/x/uv.lock",
  "extensions/mine/bun.lock",
  "workspace/project/package.lock",
  "workspace-other/x.pid",
  "media/a.lock",
  "openclaw.json",
  "credentials/whatsapp/creds.json",
  "npm/projects/mine/node_modules/x/index.js",
])("keeps %s", (path) => {
  expect(isKept(`.openclaw/${path}`)).toBe(true);
  expect(mayMatter(`.openclaw/${path}`)).toBe(true);
});

it.each([
  "openclaw.json.lock",
  "gateway.pid",
  "state/openclaw.sqlite.generation-writer.sqlite-wal",
  "agents/main/sessions/sessions.json.lock",
  "credentials/x.sock",
  "cache/x",
])("leaves out %s", (path) => {
  expect(isKept(`.openclaw/${path}`)).toBe(false);
  expect(mayMatter(`.openclaw/${path}`)).toBe(false);
});

it("judges a folder by where it lies, not by what it is called", () => {
  expect(isKeptFolder(".openclaw/agents/a.lock")).toBe(true);
  expect(isKeptFolder(".openclaw/cache")).toBe(false);
});

it.each([
  ["state/openclaw.sqlite", true],
  ["agents/main/agent/openclaw-agent.sqlite", true],
  ["agents/main/sessions/x.sqlite", false],
  ["workspace/state/x.sqlite", false],
])("knows whose database %s is", (path, itsOwn) => {
  expect(isGatewayDatabase(`.openclaw/${path}`)).toBe(itsOwn);
});
