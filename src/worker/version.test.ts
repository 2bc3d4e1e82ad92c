import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import * as z from "zod";
import { VERSION } from "./version.ts";

test("the Worker says the version that the package has", () => {
  const file = path.resolve(import.meta.dirname, "../../package.json");
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(file, "utf8")));
  expect(VERSION).toBe(version);
});
