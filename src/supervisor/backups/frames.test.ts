import { once } from "node:events";
import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { writeFrame } from "./frames.ts";

it("a pipe whose other end is gone takes nothing, and says so", async () => {
  const pipe = new PassThrough();
  pipe.destroy();
  await once(pipe, "close");
  await expect(writeFrame(pipe, { json: {} })).rejects.toThrow(/closed/);
});
