import { createHash, randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { readTar } from "../../archive/tar-reader.ts";
import { PACK_MAX_BYTES } from "../../protocol/backup.ts";
import { HostClient } from "./host-client.ts";
import { unpacked } from "./pack.ts";
import { Packing } from "./packing.ts";
import type { Content } from "./reader-client.ts";

const MB = 1024 ** 2;

/** A Worker that takes everything. */
function hostInto(stored: Map<string, Uint8Array>): HostClient {
  return new HostClient({
    token: "t",
    wait: () => Promise.resolve(),
    send({ url, body }) {
      const [, pack] = /\/v1\/packs\/(.+)$/.exec(url) ?? [];
      if (pack !== undefined && body instanceof Uint8Array) stored.set(pack, body);
      const bytes = new TextEncoder().encode(JSON.stringify({ generation: 7 }));
      return Promise.resolve({ status: 200, bytes, fileKey: undefined });
    },
  });
}

function contentAt(path: string, bytes: Buffer): Content {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { say: "content", path, mode: 0o600, modified: 0, sha256, size: bytes.length };
}

async function namesIn(pack: Uint8Array | undefined): Promise<string[]> {
  const names: string[] = [];
  for await (const { path } of readTar(unpacked(pack ?? new Uint8Array(0)))) names.push(path);
  return names;
}

it("a list that does not fit beside the content gets a pack of its own", async () => {
  const stored = new Map<string, Uint8Array>();
  const packing = new Packing(hostInto(stored), undefined);
  const content = randomBytes(15 * MB);
  await packing.take(contentAt(".openclaw/a", content), content);
  const list = randomBytes(20 * MB);
  expect(packing.hasRoomFor(list)).toBe(false);
  await packing.seal();
  expect(packing.hasRoomFor(list)).toBe(true);
  expect(await packing.own()).toEqual(["7.0", "7.1"]);
  expect(await packing.close(list, 0)).toBe("7.1");
  expect(await namesIn(stored.get("7.0"))).toEqual([".openclaw/a"]);
  expect(await namesIn(stored.get("7.1"))).toEqual([".moltworker/generation.json"]);
  for (const { size } of packing.packs) expect(size).toBeLessThan(PACK_MAX_BYTES);
});

it("many small files with long names fill packs with their headers", async () => {
  const stored = new Map<string, Uint8Array>();
  const packing = new Packing(hostInto(stored), undefined);
  const names = Array.from({ length: 9_000 }, (_, i) => `.openclaw/${"n".repeat(200)}/${i}`);
  for (const name of names) await packing.take(contentAt(name, Buffer.from("x")), Buffer.from("x"));
  await packing.close(Buffer.from("{}"), 0);
  expect(stored.size).toBe(2);
  const found = [await namesIn(stored.get("7.0")), await namesIn(stored.get("7.1"))];
  expect(found.flat().filter((name) => name.startsWith(".openclaw/"))).toEqual(names);
});
