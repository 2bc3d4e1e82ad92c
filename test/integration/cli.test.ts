import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { once } from "node:events";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "../support/start-local.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "moltworker-cli-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each([[["--help"]], [["start", "--help"]], [["build", "--help"]], [["deploy", "--help"]]])(
  "%j explains itself and ends well",
  async (args) => {
    const { code, stdout } = await runCommand(args);
    expect({ code, usage: stdout.startsWith("Usage:") }).toEqual({ code: 0, usage: true });
  },
);

test.each([
  [["start", "--prot", "1"], "--prot"],
  [["start", "--port", "99999"], "--port"],
  [["start", "--engine", "magic"], "magic"],
  [["start", "--host", "example.org"], "example.org"],
  [["build", "--fast"], "--fast"],
  [["deploy", "--force"], "--force"],
  [["run"], 'unknown command "run"'],
])("%j is a usage error that names what is wrong", async (args, text) => {
  const { code, stderr } = await runCommand(args);
  expect(code).toBe(2);
  expect(stderr).toContain(text);
  expect(stderr).not.toContain("    at ");
});

test("a port that is in use is named together with its option", async () => {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = String(typeof address === "object" ? address?.port : "");
  const state = path.join(folder, "port");
  const { code, stderr } = await runCommand(["start", "--port", port, "--state-dir", state]);
  const admin = await runCommand(["start", "--port=0", "--admin-port", port, "--state-dir", state]);
  server.close();
  expect({ code, text: stderr }).toEqual({
    code: 1,
    text: expect.stringContaining(`port ${port}`),
  });
  expect(stderr).toContain("--port");
  expect(admin).toMatchObject({ code: 1, stderr: expect.stringContaining("--admin-port") });
});

test("an address that others reach is refused until another admin login than the local link is set up", async () => {
  const args = ["start", "--host=0.0.0.0", "--port=0", "--admin-port=0"];
  const state = ["--state-dir", path.join(folder, "exposed")];
  const refused = await runCommand([...args, ...state]);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  for (const text of ["loopback", "CF_ACCESS_TEAM_DOMAIN", "CF_ACCESS_AUD", "ADMIN_EMAILS"]) {
    expect(refused.stderr).toContain(text);
  }
  const partly = await runCommand([...args, ...state], {
    CF_ACCESS_TEAM_DOMAIN: "team.cloudflareaccess.com",
    CF_ACCESS_AUD: "a".repeat(64),
    ADMIN_EMAILS: "me@example.org",
  });
  expect(partly).toMatchObject({ code: 1, stderr: expect.stringContaining("WORKER_URL") });
  expect(partly.stderr).not.toContain("CF_ACCESS_AUD");
  await expect(access(path.join(folder, "exposed"))).rejects.toThrow("ENOENT");
});

test("a state folder that is no folder, and one of a newer version, are refused", async () => {
  const file = path.join(folder, "file");
  await writeFile(file, "");
  const blocked = await runCommand(["start", "--state-dir", path.join(file, "state")]);
  expect(blocked).toMatchObject({ code: 1, stderr: expect.stringContaining("--state-dir") });

  const newer = await mkdtemp(path.join(folder, "newer-"));
  await writeFile(path.join(newer, "version.json"), '{"version":99}');
  const refused = await runCommand(["start", "--state-dir", newer]);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("newer moltworker") });
});

test("every problem of the settings is listed by name, and DEV_MODE is refused with the reason", async () => {
  const { code, stderr, stdout } = await runCommand(
    ["start", "--port=0", "--admin-port=0", "--state-dir", path.join(folder, "settings")],
    { DEV_MODE: "true", MOLTBOT_GATEWAY_TOKEN: "short-secret", SANDBOX_SLEEP_AFTER: "soon" },
  );
  expect(code).toBe(1);
  await expect(access(path.join(folder, "settings"))).rejects.toThrow("ENOENT");
  for (const name of ["DEV_MODE", "MOLTBOT_GATEWAY_TOKEN", "SANDBOX_SLEEP_AFTER"]) {
    expect(stderr).toContain(name);
  }
  expect(stderr + stdout).not.toContain("short-secret");
});
