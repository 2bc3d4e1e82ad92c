import { expect, it } from "vitest";
import type { FileList } from "../../protocol/backup.ts";
import { composeList, shapeProblem, type Observed } from "./file-list.ts";
import type { ObservedFile } from "./messages.ts";

const head = { agentId: "main", generation: 2, parent: 1, at: 1, reason: "change" as const };
const at = (path: string) => `.openclaw/${path}`;
const fileAt = (path: string): ObservedFile => ({
  ...{ path: at(path), mode: 0o600, modified: 0, size: 1 },
  hashes: ["0".repeat(64)],
});
const folderAt = (path: string) => ({ path: at(path), mode: 0o700 });
const root = { path: ".openclaw", mode: 0o700 };

function listOf(folders: string[], files: string[]): FileList {
  return {
    ...{ format: 1, ...head, generation: 1, parent: 0, packs: ["1.0"], links: [] },
    folders: [root, ...folders.map(folderAt)],
    files: files.map((path) => {
      const { hashes, ...file } = fileAt(path);
      return { ...file, sha256: hashes[0] ?? "", pack: 0 };
    }),
  };
}

function composed(seen: Observed, before: FileList, most?: number): FileList {
  const placed = new Map(
    seen.files.map(({ path }) => [`0 ${path}`, { pack: "2.0", sha256: "0".repeat(64) }]),
  );
  const made = composeList(head, seen, before, { placed }, most);
  if (!made.ok) throw new Error(made.path);
  expect(shapeProblem(made.list)).toBeUndefined();
  return made.list;
}

it("carries on what lies below something that could not be read, and nothing else", () => {
  const before = listOf(["a", "a/b", "gone"], ["a/1", "a/b/2", "gone/3", "ab"]);
  const unkept = [{ path: at("a"), why: "it could not be read" }];
  const { folders, files } = composed({ folders: [root], links: [], files: [], unkept }, before);
  expect(files.map(({ path }) => path)).toEqual([at("a/1"), at("a/b/2")]);
  expect(folders.map(({ path }) => path)).toEqual([".openclaw", at("a"), at("a/b")]);
});

it("carries on no more than a list has room for", () => {
  const found = [fileAt("w/1"), fileAt("w/2")];
  const unkept = [{ path: at("w"), why: "too many" }];
  const seen = { folders: [root, folderAt("w")], links: [], files: found, unkept };
  const { files } = composed(seen, listOf(["w"], ["w/x", "w/y"]), 3);
  expect(files.map(({ path }) => path)).toEqual([at("w/1"), at("w/2"), at("w/x")]);
});
