import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { perform } from "./agent-home.ts";
import { configPaths } from "./config-file.ts";
import { stateDatabasePath } from "./state-preparation.ts";

let home: string;
beforeEach(() => (home = mkdtempSync(join(tmpdir(), "agent-home-"))));
afterEach(() => rmSync(home, { recursive: true, force: true }));

const prepare = (config: string) => perform({ task: "prepare", home, config }, 5_000);
const written = () => readFileSync(configPaths(home).config, "utf8");

describe("the config on disk", () => {
  it("is written once, and left alone while its text is the same", () => {
    expect(prepare("{1}")).toEqual({
      ok: true,
      configWritten: true,
      notes: [],
      lost: [],
    });
    utimesSync(configPaths(home).config, 1, 1);
    expect(prepare("{1}")).toMatchObject({ configWritten: false });
    expect(statSync(configPaths(home).config).mtimeMs).toBe(1_000);
    expect(prepare("{2}")).toMatchObject({ configWritten: true });
    expect(written()).toBe("{2}");
    expect(statSync(configPaths(home).config).mode & 0o777).toBe(0o600);
  });

  it("goes back to the last one that was accepted", () => {
    prepare("{1}");
    perform({ task: "accept", home }, 0);
    prepare("{2}");
    expect(perform({ task: "revert", home }, 0)).toMatchObject({ configWritten: true });
    expect(written()).toBe("{1}");
  });

  it("stays when none was ever accepted", () => {
    prepare("{1}");
    expect(perform({ task: "revert", home }, 0)).toMatchObject({ configWritten: false });
    expect(written()).toBe("{1}");
  });
});

describe("the gateway's state", () => {
  function open(): DatabaseSync {
    mkdirSync(dirname(stateDatabasePath(home)), { recursive: true });
    return new DatabaseSync(stateDatabasePath(home));
  }

  it("loses the marks of an unclean end and nothing else", () => {
    const database = open();
    database.exec(`
      CREATE TABLE gateway_boot_lifecycle (boot_id TEXT NOT NULL PRIMARY KEY, pid INTEGER NOT NULL,
        started_at_ms INTEGER NOT NULL, completed_at_ms INTEGER, outcome TEXT, startup_reason TEXT,
        reason TEXT) STRICT;
      CREATE TABLE state_leases (scope TEXT NOT NULL, lease_key TEXT NOT NULL, owner TEXT NOT NULL,
        expires_at INTEGER, heartbeat_at INTEGER, payload_json TEXT, created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL, PRIMARY KEY (scope, lease_key)) STRICT;
      INSERT INTO gateway_boot_lifecycle VALUES
        ('open', 1, 1000, NULL, NULL, NULL, NULL),
        ('failed', 2, 2000, 2500, 'startup_failed', NULL, 'x'),
        ('clean', 3, 3000, 3500, 'clean_stop', NULL, 'stop (SIGTERM)');
      INSERT INTO state_leases VALUES
        ('gateway-owner', 'global', 'a', 9, 9, NULL, 1, 1),
        ('other', 'global', 'b', 9, 9, NULL, 1, 1);
    `);
    expect(prepare("{}")).toMatchObject({
      ok: true,
      notes: ["the gateway's last end was unclean: closed 2 boot records, released 1 leases"],
    });
    const boots = database.prepare(
      "SELECT boot_id, completed_at_ms, outcome, reason FROM gateway_boot_lifecycle ORDER BY pid",
    );
    expect(boots.all().map((row) => Object.values(row))).toEqual([
      ["open", 5_000, "clean_stop", "ended without notice"],
      ["failed", 2_500, "clean_stop", "ended without notice"],
      ["clean", 3_500, "clean_stop", "stop (SIGTERM)"],
    ]);
    expect(database.prepare("SELECT scope FROM state_leases").all()).toEqual([{ scope: "other" }]);
    database.close();
    expect(prepare("{}")).toMatchObject({ notes: [] });
  });

  it("that is not as expected is a note, and no reason not to start", () => {
    open().close();
    const reply = prepare("{}");
    expect(reply).toMatchObject({ ok: true, configWritten: true });
    expect(reply.ok && reply.notes[0]).toContain("could not be prepared");
    writeFileSync(
      stateDatabasePath(home),
      "not a database at all, but long enough to be read as one",
    );
    expect(prepare("{}")).toMatchObject({ ok: true });
  });
});
