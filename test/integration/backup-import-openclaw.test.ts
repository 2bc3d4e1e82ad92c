/** An archive as the pinned gateway's own `openclaw backup create` makes it, over a state of its own. */
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { memoryBucket } from "../support/backup-bucket.ts";
import { dryRun, importStates, upload } from "../support/backup-import.ts";
import { workerSide } from "../support/backup-rig.ts";
import { startSandboxSide } from "../support/backup-sandbox-side.ts";
import { link, put } from "../support/backup-state.ts";

const CLI = resolve("container/node_modules/openclaw/openclaw.mjs");
const DATABASE = "state/openclaw.sqlite";

let home: string;
beforeEach(() => (home = mkdtempSync(join(tmpdir(), "openclaw-backup-"))));
afterEach(() => rmSync(home, { recursive: true, force: true }));

async function openclaw(...args: string[]): Promise<void> {
  const env = { HOME: home, PATH: process.env["PATH"], OPENCLAW_NO_RESPAWN: "1" };
  await promisify(execFile)(process.execPath, [CLI, ...args], { env });
}

test("comes in: its state and databases, without the secrets in them", async () => {
  const own = join(home, ".openclaw");
  const config = {
    gateway: { mode: "local", auth: { mode: "token", token: "planted-secret" } },
    plugins: { entries: { "memory-core": { enabled: true } } },
  };
  put(own, "openclaw.json", JSON.stringify(config));
  put(own, "workspace/MEMORY.md", "I like tea");
  put(own, "credentials/whatsapp/creds.json", "planted-secret");
  link(own, "workspace/link", "MEMORY.md");
  // A command that opens the state makes its database.
  await openclaw("sessions", "--json");
  const database = new DatabaseSync(join(own, DATABASE));
  database.exec(
    "INSERT INTO secret_store_entries VALUES ('team', '', 'KEY', 'planted-secret', 'secret', 0, 0, NULL, NULL, NULL)",
  );
  database.close();
  mkdirSync(join(home, "out"));
  await openclaw("backup", "create", "--output", join(home, "out"), "--verify");
  const [name = ""] = readdirSync(join(home, "out"));
  const archive = Uint8Array.from(readFileSync(join(home, "out", name)));

  const worker = await workerSide(memoryBucket());
  const id = await upload(worker, archive, name);
  expect(await dryRun(worker, id)).toMatchObject({
    ok: true,
    report: {
      root: expect.stringMatching(/-openclaw-backup\/payload\/posix\/.*\/\.openclaw$/),
      files: 2,
      secrets: [
        { path: ".openclaw/openclaw.json#gateway.auth.token", kind: "config" },
        { path: ".openclaw/credentials/whatsapp/creds.json", kind: "credentials" },
      ],
      relink: [
        { what: "devices" },
        { what: "plugin", name: "memory-core" },
        { what: "channel", name: "whatsapp" },
      ],
    },
  });
  worker.backups.imports.apply(id);
  const side = await startSandboxSide(worker, 1);
  expect(await importStates(worker)).toMatchObject([{ state: "done" }]);
  expect(readFileSync(join(side.state, "workspace/MEMORY.md"), "utf8")).toBe("I like tea");
  const grep = "grep -rl planted-secret . || true";
  expect(execFileSync("bash", ["-c", grep], { cwd: side.state, encoding: "utf8" })).toBe("");
  const came = new DatabaseSync(join(side.state, DATABASE), { readOnly: true });
  expect(came.prepare("SELECT count(*) AS n FROM secret_store_entries").get()).toEqual({ n: 0 });
  expect(came.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"]).toBeGreaterThan(20);
  came.close();
  side.lose();
});
