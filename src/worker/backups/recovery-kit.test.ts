import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { generateX25519Identity } from "age-encryption";
import { backupKeys } from "./cipher.ts";
import { recoveryKit } from "./recovery-kit.ts";
import { RESTORE_COMMANDS, WITHOUT_MANIFEST_COMMANDS } from "./restore-commands.ts";

describe("the recovery kit", () => {
  it("has the commands that the documents have, which a test runs", () => {
    const text = readFileSync(join(import.meta.dirname, "../../../docs/storage.md"), "utf8");
    const blocks = [...text.matchAll(/```bash (\S+)\n([^]*?)```/g)].map(([, name, body]) => [
      name,
      body,
    ]);
    expect(Object.fromEntries(blocks)).toEqual({
      restore: RESTORE_COMMANDS,
      "without-manifest": WITHOUT_MANIFEST_COMMANDS,
    });
  });

  it("has every key, what each opens, and where the data lies", async () => {
    const [fresh, old] = [await generateX25519Identity(), await generateX25519Identity()];
    const keys = await backupKeys([fresh, old]);
    const text = recoveryKit({ agentId: "main", keys, now: 0 });
    for (const part of [fresh, old, keys?.recipient ?? "", "agents/main/backups/"]) {
      expect(text).toContain(part);
    }
    const without = recoveryKit({ agentId: "main", keys: undefined, now: 0 });
    expect(without).toContain("not encrypted");
    expect(without).toContain(RESTORE_COMMANDS);
    expect(without).toContain(WITHOUT_MANIFEST_COMMANDS);
  });
});
