import { generateX25519Identity } from "age-encryption";
import { expect, it } from "vitest";
import { backupKeys } from "./cipher.ts";
import { openText, sealText } from "./sealed-text.ts";

const TEXT = JSON.stringify([".openclaw/workspace/名前.txt", "x".repeat(900)]);

it("opens for whoever has the identity, and for nobody else", async () => {
  const [mine, other] = [await generateX25519Identity(), await generateX25519Identity()];
  const keys = await backupKeys([mine]);
  const recipient = keys?.recipient ?? "";
  const sealed = (await sealText(keys, recipient, TEXT)) ?? "";
  expect(atob(sealed)).not.toContain("workspace");
  expect(await openText(keys, recipient, sealed)).toBe(TEXT);
  // As an older key that stays behind the present one.
  expect(await openText(await backupKeys([other, mine]), recipient, sealed)).toBe(TEXT);
  expect(await openText(await backupKeys([other]), recipient, sealed)).toBeUndefined();
  expect(await openText(undefined, recipient, sealed)).toBeUndefined();
});

it("is nothing when it was changed, or is something else", async () => {
  const keys = await backupKeys([await generateX25519Identity()]);
  const recipient = keys?.recipient ?? "";
  const sealed = (await sealText(keys, recipient, TEXT)) ?? "";
  for (const other of [sealed.slice(4), `${sealed}AAAA`, "", "not base64!"]) {
    expect(await openText(keys, recipient, other)).toBeUndefined();
  }
  expect(await sealText(keys, "age1nobody", TEXT)).toBeUndefined();
});
