import { expect, test } from "vitest";
import { pairingCode } from "./pairing.ts";

test("a code is two groups of five and depends on the first 50 bits alone", () => {
  const id = "0123456789abcdef".repeat(4);
  expect(pairingCode(id)).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}$/);
  expect(pairingCode(`${id.slice(0, 13)}${"0".repeat(51)}`)).toBe(
    pairingCode(`${id.slice(0, 13)}${"0".repeat(51)}`),
  );
  expect(pairingCode(`1${id.slice(1)}`)).not.toBe(pairingCode(id));
  expect(pairingCode("f".repeat(64))).toBe("ZZZZZ-ZZZZZ");
  expect(pairingCode("0".repeat(64))).toBe("00000-00000");
});

test("text that is no device id has no code", () => {
  expect(pairingCode("<script>")).toBe("");
});
