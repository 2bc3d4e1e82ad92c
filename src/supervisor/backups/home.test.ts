import { describe, expect, it } from "vitest";
import type { RestorePlan } from "../../protocol/backup.ts";
import { followsFrom, mark } from "./home.ts";

const [one, other] = ["1".repeat(64), "2".repeat(64)];

function planned(
  generation: number,
  listSha256: string,
  passedOver: { generation: number; listSha256: string }[] = [],
): RestorePlan {
  const listPack = `${generation}.0`;
  return { outcome: "restore", generation, listPack, listSha256, packs: [listPack], passedOver };
}

describe("what is left on a disk", () => {
  const asked = [
    { generation: 8, listSha256: one },
    { generation: 9, listSha256: other },
  ];
  it.each<[string, RestorePlan, boolean]>([
    ["the generation that it was the same as", planned(7, other), true],
    ["one that was asked for and landed", planned(8, one), true],
    ["the later one of those", planned(9, other), true],
    ["another one with such a number", planned(8, other), false],
    ["the same content under another number", planned(10, one), false],
    ["an older one", planned(6, one), false],
    [
      "an older one, below the damaged one that it was the same as",
      planned(5, one, [
        { generation: 7, listSha256: other },
        { generation: 6, listSha256: other },
      ]),
      true,
    ],
    [
      "an older one, below a damaged one that was asked for",
      planned(5, one, [{ generation: 8, listSha256: one }]),
      true,
    ],
    [
      "an older one, below a damaged one of another sandbox",
      planned(5, one, [{ generation: 8, listSha256: other }]),
      false,
    ],
    ["a decision to start afresh with such a number", { outcome: "empty", generation: 8 }, false],
  ])("counts against %s as newer or not", (_, plan, newer) => {
    expect(followsFrom({ agentId: "main", generation: 7, asked }, plan)).toBe(newer);
  });

  it("may have a mark from before such generations were noted", () => {
    expect(mark.parse({ agentId: "main", generation: 7 }).asked).toEqual([]);
  });
});
