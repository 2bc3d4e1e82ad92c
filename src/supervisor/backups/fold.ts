/**
 * Compaction. Each generation adds a pack, and a restore reads every pack that still holds
 * something; when many hold little, the next generation brings their content again. Pure.
 */
import type { FileList } from "../../protocol/backup.ts";

/** A pack with less live content than this is small. */
const SMALL_BYTES = 4 * 1024 * 1024;
/** So many small packs are folded into one. */
const MOST_SMALL = 24;

/** Content to bring again: indexes of parts by path, 0 for a file in one piece. */
export function contentToFold(list: FileList): { path: string; parts: number[] }[] {
  const live = list.packs.map(() => 0);
  for (const { pack, bytes } of pieces(list)) live[pack] = (live[pack] ?? 0) + bytes;
  const small = new Set(
    live.flatMap((bytes, pack) => (bytes > 0 && bytes < SMALL_BYTES ? [pack] : [])),
  );
  if (small.size < MOST_SMALL) return [];
  const wanted = new Map<string, number[]>();
  for (const { path, index, pack } of pieces(list)) {
    if (!small.has(pack)) continue;
    const parts = wanted.get(path) ?? [];
    parts.push(index);
    wanted.set(path, parts);
  }
  return [...wanted].map(([path, parts]) => ({ path, parts }));
}

/** All of it. */
export function wholeContent(list: FileList): { path: string; parts: number[] }[] {
  return list.files.map((file) => ({
    path: file.path,
    parts: "parts" in file ? file.parts.map((_, i) => i) : [0],
  }));
}

function* pieces(
  list: FileList,
): Generator<{ path: string; index: number; pack: number; bytes: number }> {
  for (const file of list.files) {
    if (!("parts" in file)) {
      // An empty file still lies in some pack.
      yield { path: file.path, index: 0, pack: file.pack, bytes: Math.max(1, file.size) };
      continue;
    }
    for (const [index, [, pack]] of file.parts.entries()) {
      const bytes = Math.min(file.partSize, file.size - index * file.partSize);
      yield { path: file.path, index, pack, bytes };
    }
  }
}
