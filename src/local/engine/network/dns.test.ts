import * as fc from "fast-check";
import { expect, it } from "vitest";
import { readQuestion, writeResponse } from "./dns.ts";

/** A query for the A record of `agent.internal`, as a resolver sends it. */
const QUERY = Buffer.from(
  "abcd01000001000000000000056167656e7408696e7465726e616c0000010001",
  "hex",
);

it("reads the question", () => {
  expect(readQuestion(QUERY)).toEqual({ name: "agent.internal", type: 1, class: 1 });
});

it("answers with an address", () => {
  const response = writeResponse(
    QUERY,
    { name: "agent.internal", type: 1, class: 1 },
    { kind: "address", address: "11.0.0.1" },
  );
  expect(response.toString("hex")).toBe(
    "abcd81800001000100000000056167656e7408696e7465726e616c0000010001" +
      "c00c00010001000000050004" +
      "0b000001",
  );
});

it("answers that a name has no such record, or does not exist", () => {
  const question = { name: "agent.internal", type: 28, class: 1 };
  const flags = (kind: "empty" | "unknown-name"): string =>
    writeResponse(QUERY, question, { kind }).toString("hex", 2, 4);
  expect(flags("empty")).toBe("8180");
  expect(flags("unknown-name")).toBe("8183");
});

it("reads no question out of responses, compressed names and noise", () => {
  const response = Buffer.from(QUERY);
  response[2] = 0x81;
  expect(readQuestion(response)).toBeUndefined();
  const compressed = Buffer.from(QUERY);
  compressed[12] = 0xc0;
  expect(readQuestion(compressed)).toBeUndefined();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const question = readQuestion(Buffer.from(bytes));
      expect(question === undefined || question.name.length < 64).toBe(true);
    }),
  );
});
