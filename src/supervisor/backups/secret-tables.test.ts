import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { purgeSecrets } from "./secret-tables.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "secret-tables-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it.each(["DELETE", "WAL"])(
  "leaves no secret, of today or of before, in a file in mode %s",
  (mode) => {
    const path = join(folder, "openclaw.sqlite");
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA journal_mode = ${mode}`);
    database.exec("CREATE TABLE auth_profile_store (k TEXT, v TEXT); CREATE TABLE notes (v TEXT)");
    const add = database.prepare("INSERT INTO auth_profile_store VALUES ('a', ?)");
    for (let i = 0; i < 50; i++) add.run("OLDSECRET".repeat(1000));
    database.exec("DELETE FROM auth_profile_store WHERE rowid % 2 = 0");
    database.exec("DELETE FROM auth_profile_store");
    add.run("NEWSECRET");
    database.prepare("INSERT INTO notes VALUES (?)").run("likes tea");
    database.close();
    expect(purgeSecrets(path)).toBeUndefined();
    const bytes = readFileSync(path).toString("latin1");
    expect(bytes).not.toContain("SECRET");
    const purged = new DatabaseSync(path);
    expect(purged.prepare("SELECT v FROM notes").all()).toEqual([{ v: "likes tea" }]);
    expect(purged.prepare("SELECT count(*) AS n FROM auth_profile_store").get()).toEqual({ n: 0 });
    expect(purged.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
    purged.close();
  },
);

it("says what is wrong with what is no database", () => {
  expect(purgeSecrets(folder)).toMatch(/unable to open/);
});
