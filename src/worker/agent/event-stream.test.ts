import { expect, it } from "vitest";
import { eventData } from "./event-stream.ts";

async function read(...chunks: string[]): Promise<string[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
  const all: string[] = [];
  for await (const data of eventData(body)) all.push(data);
  return all;
}

it("gives the data of each event, however the bytes arrive", async () => {
  expect(await read("data: on", "e\n\nda", "ta:two\n\n")).toEqual(["one", "two"]);
});
it("joins lines of one event and skips comments and other fields", async () => {
  expect(await read(": hi\nid: 4\nretry: 1\ndata: a\ndata: b\r\n\r\n")).toEqual(["a\nb"]);
});
it("drops an event that the stream cuts off", async () => {
  expect(await read("data: a\n\ndata: b\n")).toEqual(["a"]);
});
it("ends at an event without end", async () => {
  await expect(read("data: ", "x".repeat(1_000_001))).rejects.toThrow(/too long/);
});
