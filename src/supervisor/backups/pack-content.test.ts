import { hash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LIST_ENTRY, type FileList } from "../../protocol/backup.ts";
import { sealPack } from "./pack.ts";
import { listIn, takeListPack, takePack } from "./pack-content.ts";
import { StateWriter } from "./state-writer.ts";

const PART = 64 * 1024;
const SEAL = "5".repeat(64);

/** As long as one of a large state: it does not lie in one piece. */
const LIST = Buffer.alloc(3_000_000, "a list");

let target: string;
beforeEach(() => {
  target = mkdtempSync(join(tmpdir(), "pack-content-"));
});
afterEach(() => rmSync(target, { recursive: true, force: true }));

const large = Buffer.alloc(30 * PART + 5, "large content ");
const small = Buffer.from("small");
const digest = (bytes: Buffer) => hash("sha256", bytes, "hex");
const pieces = Array.from({ length: 31 }, (_, i) => large.subarray(i * PART, (i + 1) * PART));

function listOf(change: Partial<Record<"small" | "part", string>> = {}): FileList {
  const head = { mode: 0o640, modified: 86_400_000 };
  return {
    ...{ format: 1, agentId: "main", generation: 1, parent: 0, at: 0, reason: "change" },
    packs: ["1.0"],
    seals: { "1.0": SEAL },
    folders: [{ path: ".openclaw", mode: 0o700 }],
    links: [],
    files: [
      {
        ...{ path: ".openclaw/large", size: large.length, partSize: PART, ...head },
        parts: pieces.map((piece, i) => [
          i === 7 ? (change.part ?? digest(piece)) : digest(piece),
          0,
        ]),
      },
      {
        ...{ path: ".openclaw/small", size: small.length, ...head, pack: 0 },
        sha256: change.small ?? digest(small),
      },
      { path: ".openclaw/empty", size: 0, ...head, sha256: digest(Buffer.alloc(0)), pack: 0 },
    ],
  };
}

interface Named {
  name: string;
  bytes: Buffer;
}

async function packOf(
  leaveOut = "",
  listAt?: number,
  former: readonly Named[] = [],
): Promise<Uint8Array> {
  const entries = [
    ...former,
    ...pieces.map((bytes, i) => ({
      name: `.moltworker/parts/.openclaw/large/${String(i).padStart(8, "0")}`,
      bytes,
    })),
    { name: ".openclaw/unwanted", bytes: Buffer.alloc(100_000) },
    { name: ".openclaw/small", bytes: small },
    { name: ".openclaw/empty", bytes: Buffer.alloc(0) },
  ];
  const kept = entries.filter(({ name }) => name !== leaveOut);
  if (listAt !== undefined) kept.splice(listAt, 0, { name: LIST_ENTRY, bytes: LIST });
  const { bytes } = await sealPack(
    kept.map((one) => Object.assign(one, { mode: 0o600, modified: 0 })),
    undefined,
  );
  return bytes;
}

interface Asked {
  seal?: string | undefined;
  everything?: boolean;
  known?: boolean;
  leaveOut?: string;
  former?: readonly Named[];
  times?: number;
}

async function take(list: FileList, asked: Asked = {}): Promise<void> {
  const { everything = false, known = true, leaveOut, former, times = 1 } = asked;
  const seal = "seal" in asked ? asked.seal : SEAL;
  const writer = new StateWriter(target, list);
  const compressed = await packOf(leaveOut, undefined, former);
  const seals = known ? list.seals : undefined;
  for (let i = 0; i < times; i++) {
    await takePack(writer, "1.0", { compressed, seal }, { seals, everything });
  }
  writer.finish();
}

describe("what a state wants of a pack", () => {
  it.each([1, 2])("is there afterwards, as it was listed, %i times taken", async (times) => {
    await take(listOf(), { times });
    const at = (name: string) => join(target, ".openclaw", name);
    expect(readFileSync(at("large")).equals(large)).toBe(true);
    expect(readFileSync(at("small")).equals(small)).toBe(true);
    expect(statSync(at("empty")).size).toBe(0);
    for (const name of ["large", "small", "empty"]) {
      const { mode, mtimeMs } = statSync(at(name));
      expect([mode & 0o777, mtimeMs]).toEqual([0o640, 86_400_000]);
    }
    expect(() => statSync(at("unwanted"))).toThrow(/ENOENT/);
  });

  it("can be taken again whatever its modes: they come in the end", async () => {
    const list = listOf();
    const writer = new StateWriter(target, list);
    const read = { compressed: await packOf(), seal: SEAL };
    await takePack(writer, "1.0", read, { seals: list.seals, everything: false });
    const modeOf = () => statSync(join(target, ".openclaw/small")).mode & 0o777;
    expect(modeOf()).toBe(0o600);
    writer.finish();
    expect(modeOf()).toBe(0o640);
  });

  it("is not taken from a pack with another seal than listed", async () => {
    await expect(take(listOf(), { seal: "6".repeat(64) })).rejects.toMatchObject({
      code: "pack",
      message: expect.stringContaining("another pack"),
    });
  });

  it("is hashed when its pack comes without a seal: it was decrypted on the way", async () => {
    await expect(take(listOf(), { seal: undefined })).resolves.toBeUndefined();
    await expect(take(listOf({ small: SEAL }), { seal: undefined })).rejects.toMatchObject({
      code: "pack",
    });
  });

  it.each([true, false])(
    "is the last of what its pack has under one name (hashed: %s)",
    async (everything) => {
      const part = (i: number, bytes: Buffer) => ({
        name: `.moltworker/parts/.openclaw/large/${String(i).padStart(8, "0")}`,
        bytes,
      });
      const former = [
        part(0, Buffer.alloc(PART, "former")),
        part(30, Buffer.alloc(PART, "longer before")),
        { name: ".openclaw/small", bytes: Buffer.from("smaLL") },
        part(7, Buffer.alloc(PART, "former")),
        { name: ".openclaw/empty", bytes: Buffer.from("not empty before") },
      ];
      await take(listOf(), { former, everything });
      expect(readFileSync(join(target, ".openclaw/large")).equals(large)).toBe(true);
      expect(readFileSync(join(target, ".openclaw/small")).equals(small)).toBe(true);
      expect(statSync(join(target, ".openclaw/empty")).size).toBe(0);
    },
  );

  it.each([
    [{ part: SEAL }, "parts/.openclaw/large/00000007"],
    [{ small: SEAL }, ".openclaw/small"],
  ])(
    "is hashed where no seal is known, and where everything is asked for",
    async (change, name) => {
      const damaged = {
        code: "pack",
        message: expect.stringMatching(`${name} has another hash`),
      };
      await expect(take(listOf(change), { known: false })).rejects.toMatchObject(damaged);
      await expect(take(listOf(change), { everything: true })).rejects.toMatchObject(damaged);
      await expect(take(listOf(change))).resolves.toBeUndefined();
    },
  );

  it.each([".openclaw/small", ".openclaw/empty", ".moltworker/parts/.openclaw/large/00000030"])(
    "is not what it should be when %s is not in it",
    async (leaveOut) => {
      await expect(take(listOf(), { leaveOut })).rejects.toMatchObject({
        code: "pack",
        message: `${leaveOut} is not in its pack`,
      });
    },
  );

  it("says nothing about the pack when it cannot be written", async () => {
    const list = listOf();
    const writer = new StateWriter(target, list);
    rmSync(target, { recursive: true });
    const taken = takePack(
      writer,
      "1.0",
      { compressed: await packOf(), seal: SEAL },
      { seals: list.seals, everything: false },
    );
    await expect(taken).rejects.toMatchObject({ code: "unreadable", reason: "io" });
  });
});

describe("the pack that the list lies in", () => {
  it.each([
    ["in front", 0],
    ["between", 9],
    ["at its end", 34],
  ])("has it %s, and what it wants of its own pack is hashed", async (_, listAt) => {
    const compressed = await packOf("", listAt);
    const read = { compressed, seal: SEAL };
    const given: (Uint8Array | undefined)[] = [];
    const list = listOf();
    const writer = new StateWriter(target, list);
    await takeListPack("1.0", read, (text) => {
      given.push(text);
      return writer;
    });
    writer.finish();
    expect(given).toHaveLength(1);
    expect(LIST.equals(given[0] ?? Buffer.from("none"))).toBe(true);
    expect(readFileSync(join(target, ".openclaw/large")).equals(large)).toBe(true);
    expect(readFileSync(join(target, ".openclaw/small")).equals(small)).toBe(true);
    expect(LIST.equals((await listIn(read)) ?? Buffer.from("none"))).toBe(true);

    const other = takeListPack("1.0", read, () => new StateWriter(target, listOf({ part: SEAL })));
    await expect(other).rejects.toMatchObject({ code: "pack" });
  });

  it("says so when there is none, and ends with what is made of that", async () => {
    const read = { compressed: await packOf(), seal: SEAL };
    expect(await listIn(read)).toBeUndefined();
    const taken = takeListPack("1.0", read, (text) => {
      throw new Error(`the list is ${String(text)}`);
    });
    await expect(taken).rejects.toThrow("the list is undefined");
  });
});
