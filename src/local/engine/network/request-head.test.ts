import { expect, it } from "vitest";
import { readRequestHead } from "./request-head.ts";

const read = (text: string): unknown => readRequestHead(Buffer.from(text, "latin1"));

it.for([
  ["GET / HTTP/1.1\r\nHost: Example.com\r\n\r\n", "example.com"],
  ["GET / HTTP/1.1\r\nAccept: x\r\nhost:  a.b:8080 \r\n\r\nbody", "a.b"],
  ["GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n", "[2001:db8::1]"],
  ["GET http://proxied.example/x HTTP/1.1\r\nHost: other\r\n\r\n", "proxied.example"],
])("reads the host of %j", ([text, host]) => {
  expect(read(text ?? "")).toEqual({ kind: "complete", host });
});

it("has no host where none is said", () => {
  expect(read("GET / HTTP/1.0\r\n\r\n")).toEqual({ kind: "complete" });
  expect(read("GET / HTTP/1.1\r\nHost:\r\n\r\n")).toEqual({ kind: "complete" });
});

it("asks for more until the head is complete, and gives up on an endless one", () => {
  expect(read("GET / HTTP/1.1\r\nHost: a")).toEqual({ kind: "incomplete" });
  expect(read("x".repeat(64 * 1024))).toEqual({ kind: "complete" });
});
