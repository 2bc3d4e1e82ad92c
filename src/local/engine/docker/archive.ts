/**
 * Puts files into a container's private /etc, which is how the runtime brings its certificate
 * authority. Only there: /etc is the one folder that the sandbox itself cannot write to, so no link
 * it made can lead a write of the engine elsewhere. Fails closed for every other path.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Header, extract } from "tar-stream";
import * as z from "zod";
import { Refusal } from "./refusal.ts";

const bytes = z.instanceof(Uint8Array);
const LARGEST_FILE = 16 * 1024 * 1024;

/** The path below /etc that `name`, unpacked in `directory`, stands for. */
export function pathBelowEtc(directory: string, name: string): string {
  const path = posix.normalize(posix.join("/", directory, name));
  if (!path.startsWith("/etc/") || name.split("/").includes("..")) {
    throw new Refusal(400, `This engine writes into /etc only, not to ${directory}/${name}`);
  }
  return path.slice("/etc/".length);
}

async function read(content: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(bytes.parse(chunk));
  return Buffer.concat(chunks);
}

async function putFile(target: string, header: Header, content: AsyncIterable<unknown>) {
  if (header.type === "directory") return void (await mkdir(target, { recursive: true }));
  if (header.type !== "file") throw new Refusal(400, `${header.name} is not a plain file`);
  if ((header.size ?? 0) > LARGEST_FILE) throw new Refusal(400, `${header.name} is too large`);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, await read(content), { mode: header.mode ?? 0o644 });
}

export async function putArchive(etc: string, directory: string, tar: Readable): Promise<void> {
  const unpack = extract();
  const unpacked = (async () => {
    for await (const entry of unpack) {
      const target = join(etc, pathBelowEtc(directory, entry.header.name));
      await putFile(target, entry.header, entry);
      entry.resume();
    }
  })();
  await Promise.all([pipeline(tar, unpack), unpacked]);
}
