import { PassThrough } from "node:stream";
import { hash } from "node:crypto";
import { afterEach, expect, it, vi } from "vitest";
import { writeFrame } from "./frames.ts";
import { ReaderClient } from "./reader-client.ts";

afterEach(() => vi.useRealTimers());

const bytes = Buffer.from("content");
const content = {
  ...{ say: "content", path: ".openclaw/a", mode: 0o600, modified: 0 },
  ...{ sha256: hash("sha256", bytes, "hex"), size: bytes.length },
};
const scanned = {
  ...{ say: "scanned", changed: true, folders: [], links: [], files: [], unkept: [] },
  ...{ removed: 0, watching: true, cpuMs: 1 },
};
const AN_HOUR = 3_600_000;

function clientOf() {
  const [stdin, stdout, ended] = [new PassThrough(), new PassThrough(), vi.fn<() => void>()];
  const client = new ReaderClient({ stdin, stdout, end: ended }, () => undefined);
  return { client, ended, say: (json: unknown) => writeFrame(stdout, { json }), stdout };
}

it("a reader is not blamed for the time that its content takes on its way to the store", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { client, ended, say, stdout } = clientOf();
  const [arrived, stored] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const scan = client.scan([], () => {
    arrived.resolve();
    return stored.promise;
  });
  await say(content);
  await writeFrame(stdout, { bytes });
  await arrived.promise;
  vi.advanceTimersByTime(AN_HOUR);
  stored.resolve();
  await say(scanned);
  expect(await scan).toMatchObject({ say: "scanned" });
  expect(ended).not.toHaveBeenCalled();
});

it("one that says nothing although it is its turn is ended", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { client, ended } = clientOf();
  const scan = client.scan([], () => Promise.resolve());
  vi.advanceTimersByTime(AN_HOUR);
  await expect(scan).rejects.toThrow(/said nothing/);
  expect(ended).toHaveBeenCalled();
});

it("each database that is checked has its own time", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { client, ended, say } = clientOf();
  const check = client.check("/home", "/scratch", ["a", "b", "c"], false);
  for (let i = 0; i < 3; i++) {
    vi.advanceTimersByTime(100_000);
    await say({ say: "checking" });
    // Two pipes' worth of turns until it is heard.
    await new Promise((resolve) => setImmediate(resolve));
  }
  await say({ say: "checked", problems: [] });
  expect(await check).toEqual([]);
  expect(ended).not.toHaveBeenCalled();
});
