import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readerHere } from "../../../test/support/backup-sandbox-side.ts";
import { ReaderClient } from "./reader-client.ts";

it("takes away what it was to check and could not", async () => {
  const home = mkdtempSync(join(tmpdir(), "reader-"));
  const client = new ReaderClient(await readerHere(), () => undefined);
  try {
    mkdirSync(join(home, ".openclaw/is-a-folder.sqlite"), { recursive: true });
    const scratch = join(home, "scratch");
    mkdirSync(scratch);
    const checked = client.check(home, scratch, [".openclaw/is-a-folder.sqlite"], true);
    await expect(checked).rejects.toThrow(/I.O error|unable to open/);
    expect(readdirSync(home)).toEqual([]);
  } finally {
    client.close();
    rmSync(home, { recursive: true, force: true });
  }
});
