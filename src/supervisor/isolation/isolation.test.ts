import { describe, expect, it } from "vitest";
import { exitOfStatus } from "./agent-process.ts";
import { maySwitchUser } from "./capabilities.ts";
import { parseStat } from "./process-table.ts";

const everyone = "         0          0 4294967295\n";
const onlyRoot = "         0      65532          1\n";

describe("whether this process may switch to the agent's user", () => {
  it.each([
    ["root of a machine", "000001ffffffffff", everyone, true],
    ["a container with Docker's usual set", "00000000a80425fb", everyone, true],
    ["root of a namespace with one user", "000001ffffffffff", onlyRoot, false],
    ["the local sandbox", "0000000080000000", onlyRoot, false],
    ["an ordinary user", "0000000000000000", everyone, false],
  ])("%s", (_who, capabilities, uidMap, may) => {
    expect(maySwitchUser(`Name:\tnode\nCapEff:\t${capabilities}\n`, uidMap, 1000)).toBe(may);
  });

  it("without /proc it may not", () => {
    expect(maySwitchUser("", "", 1000)).toBe(false);
  });
});

it("a row of /proc is read whatever the program calls itself", () => {
  const rest = "S 7 3 3 0 -1 4194304 1 0 0 0 150 50 0 0 20 0 1 0 9876 1000000 256 0";
  expect(parseStat(`42 (a) (b c) ${rest}`)).toEqual({
    pid: 42,
    name: "a) (b c",
    state: "S",
    parent: 7,
    cpuSeconds: 2,
    startTicks: 9876,
    rss: 256 * 4096,
  });
  expect(parseStat("nonsense")).toBeUndefined();
});

it("a status above 128 names the signal that ended the program", () => {
  expect(exitOfStatus(137)).toEqual({ code: undefined, signal: "SIGKILL" });
  expect(exitOfStatus(78)).toEqual({ code: 78, signal: undefined });
  expect(exitOfStatus(0)).toEqual({ code: 0, signal: undefined });
});
