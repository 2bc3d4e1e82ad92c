import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { roomAt, roomIn } from "./drill-room.ts";

const [EXT4, TMPFS] = [0xef53, 0x01021994];
const GB = 1024 ** 3;

it.each([
  ["half of what is free on a disk", EXT4, 40 * GB, 20 * GB],
  ["a quarter of a gigabyte of memory", TMPFS, 40 * GB, GB / 4],
  ["half of the memory where that is less", TMPFS, GB / 4, GB / 8],
  ["nothing of a disk that is full", EXT4, 0, 0],
])("a drill may take %s", (_, type, free, room) => {
  expect(roomIn({ type, bavail: free / 4096, bsize: 4096 })).toBe(room);
});

it("asks the file system of the folder", () => {
  expect(roomAt(tmpdir())).toBeGreaterThan(0);
  expect(() => roomAt("/no/such/folder")).toThrow(/ENOENT/);
});
