import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { CheckedCopies } from "./checked-copy.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "checked-copy-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("a large database that is broken is found so in every pass", async () => {
  const path = join(folder, "large.sqlite");
  const database = new DatabaseSync(path);
  database.exec("CREATE TABLE t (v BLOB)");
  for (let i = 0; i < 9; i++) database.exec("INSERT INTO t VALUES (randomblob(1000000))");
  database.exec("CREATE TABLE u (v TEXT); INSERT INTO u VALUES ('x')");
  database.close();
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, statSync(path).size - 4096);
  closeSync(file);
  const copies = new CheckedCopies();
  const size = BigInt(statSync(path).size);
  for (let pass = 0; pass < 2; pass++) {
    const made = await copies.make(path, join(folder, "copy.sqlite"), size, path, true);
    expect(made).toMatchObject({ sound: false, copied: true });
  }
});
