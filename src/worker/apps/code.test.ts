import { expect, test } from "vitest";
import { createPairingCodes } from "./code.ts";

const SECRET = "a-secret-for-tests-0123456789abcdef";
const codes = createPairingCodes([SECRET], "main");

test("a code is read as it was made, however a person writes it down", async () => {
  const { code, hash } = await codes.make();
  expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
  const spelled = [
    code,
    code.toLowerCase(),
    code.replaceAll("-", ""),
    ` ${code.replaceAll("-", " ")} `,
    code.replaceAll("0", "o").replaceAll("1", "l"),
  ];
  for (const text of spelled) expect(await codes.read(text)).toBe(hash);
});

test("a code with any character changed is none", async () => {
  const { code } = await codes.make();
  for (const [place, char] of [...code].entries()) {
    if (char === "-") continue;
    const other = char === "7" ? "8" : "7";
    const changed = code.slice(0, place) + other + code.slice(place + 1);
    expect(await codes.read(changed)).toBeUndefined();
  }
});

test.each(["", "-", "0000-0000-0000-0000", "0000-0000-0000-000U", "7".repeat(17), "é".repeat(16)])(
  "%j is none",
  async (text) => {
    expect(await codes.read(text)).toBeUndefined();
  },
);

test("a code of the secret before is read while that one counts, of another secret or agent never", async () => {
  const { code, hash } = await codes.make();
  const next = `${SECRET}-next`;
  expect(await createPairingCodes([next, SECRET], "main").read(code)).toBe(hash);
  expect(await createPairingCodes([next], "main").read(code)).toBeUndefined();
  expect(await createPairingCodes([SECRET], "other").read(code)).toBeUndefined();
});

test("no two codes are the same", async () => {
  const made = await Promise.all(Array.from({ length: 200 }, () => codes.make()));
  expect(new Set(made.map(({ code }) => code)).size).toBe(200);
});
