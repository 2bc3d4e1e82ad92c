import * as fc from "fast-check";
import { expect, test } from "vitest";
import { EventReader } from "./sse.ts";

const stream =
  'event: a\ndata: {"x":"你好 👋"}\n\n: ping\r\ndata:one\r\ndata: two\r\n\r\ndata: [DONE]';

test("events are the same however the bytes are cut", () => {
  const bytes = new TextEncoder().encode(stream);
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: bytes.length })), (cuts) => {
      const heard: string[] = [];
      const reader = new EventReader((data) => heard.push(data));
      let from = 0;
      for (const to of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
        reader.write(bytes.subarray(from, to));
        from = to;
      }
      reader.end();
      expect(heard).toEqual(['{"x":"你好 👋"}', "one\ntwo", "[DONE]"]);
    }),
  );
});
