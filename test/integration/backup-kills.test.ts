import { expect, test } from "vitest";
import { killSandboxes } from "../support/backup-kills.ts";

test("whenever a sandbox is killed, the next one has a sound state of moments before", async () => {
  const kills = await killSandboxes({ kills: 5, megabytes: 4, random: Math.random });
  expect(kills.map((kill) => kill.integrity)).toEqual(["ok", "ok", "ok", "ok", "ok"]);
  expect(new Set(kills.map((kill) => kill.identity)).size).toBe(1);
  expect(kills.map((kill) => kill.gaps)).toEqual([0, 0, 0, 0, 0]);
  for (const of of ["turns", "pairings"] as const) {
    const counts = kills.map((kill) => kill[of]);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  }
});
