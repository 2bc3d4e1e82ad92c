import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import * as z from "zod";
import { pathBelowEtc, putArchive } from "./archive.ts";

let etc: string;
beforeEach(async () => {
  etc = await mkdtemp(join(tmpdir(), "archive-"));
});
afterEach(() => rm(etc, { recursive: true, force: true }));

async function tarOf(name: string, link?: string): Promise<Readable> {
  const tar = pack();
  if (link === undefined) tar.entry({ name }, "content");
  else tar.entry({ name, type: "symlink", linkname: link });
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) chunks.push(z.instanceof(Uint8Array).parse(chunk));
  return Readable.from([Buffer.concat(chunks)]);
}

it("puts a file into /etc, with the folders above it", async () => {
  await putArchive(etc, "/etc", await tarOf("cloudflare/certs/ca.crt"));
  expect(await readFile(join(etc, "cloudflare/certs/ca.crt"), "utf8")).toBe("content");
});

it.for([
  ["/home/agent", "x"],
  ["/etc", "../x"],
  ["/etc", "a/../../x"],
  ["/etc/..", "x"],
  ["/", "etcetera/x"],
])("refuses %s + %s", ([directory, name]) => {
  expect(() => pathBelowEtc(directory ?? "", name ?? "")).toThrow(/into \/etc only/);
});

it("refuses links, and writes nothing", async () => {
  const tar = await tarOf("link", "/");
  await expect(putArchive(etc, "/etc", tar)).rejects.toThrow(/not a plain file/);
  expect(await readdir(etc)).toEqual([]);
});
