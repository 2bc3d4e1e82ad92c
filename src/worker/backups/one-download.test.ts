import { afterEach, expect, it } from "vitest";
import { beginDownload, type Download } from "./one-download.ts";

let now = 0;
const clock = () => now;
let held = 0;
const begun: Download[] = [];

afterEach(() => {
  for (const one of begun.splice(0)) one.end();
});

function begin(): Download | undefined {
  const download = beginDownload(clock);
  if (download !== undefined) begun.push(download);
  return download;
}

async function* content(): AsyncGenerator<Uint8Array, void, undefined> {
  held += 1;
  try {
    for (let n = 0; n < 3; n += 1) yield Uint8Array.of(n);
  } finally {
    held -= 1;
  }
}

it("lets a second one begin when the first is over, however it ended", async () => {
  const first = begin();
  expect(begin()).toBeUndefined();
  let read = 0;
  for await (const bytes of first?.pass(content()) ?? []) read += bytes.length;
  expect(read).toBe(3);
  const second = begin()?.pass(content());
  await second?.next();
  expect(begin()).toBeUndefined();
  await second?.return();
  expect(held).toBe(0);
  expect(begin()).toBeDefined();
});

it("waits for one that is read slowly", async () => {
  const slow = begin()?.pass(content());
  for (let n = 0; n < 3; n += 1) {
    await slow?.next();
    expect(begin()).toBeUndefined();
    now += 50_000;
  }
  await slow?.return();
});

it("breaks off one that nobody reads, lets go of what it held, and does not end it as if it were whole", async () => {
  const stalled = begin()?.pass(content());
  await stalled?.next();
  await stalled?.next();
  now += 61_000;
  expect(begin()).toBeDefined();
  await expect.poll(() => held).toBe(0);
  await expect(stalled?.next()).rejects.toThrow(/broken off/);
  // What is over does not end the one that came after it.
  expect(begin()).toBeUndefined();
});
