import { describe, expect, test } from "vitest";
import { redactor } from "../redaction.ts";
import { Excerpt } from "./excerpt.ts";
import { membersOf } from "./json-members.ts";

const SECRET = "planted-secret-0123456789";
const MAX = 4000;

function textsOf(prompt: string, pieces: readonly string[]) {
  const body = JSON.stringify({ messages: [{ role: "user", content: prompt }] });
  const members = membersOf(new TextEncoder().encode(body));
  if (members === undefined) throw new Error("no object");
  const excerpt = new Excerpt("messages", members, redactor([SECRET]));
  for (const text of pieces) {
    excerpt.hear(JSON.stringify({ type: "content_block_delta", delta: { text } }));
  }
  return excerpt.texts;
}

describe("a secret across the end of an excerpt", () => {
  test.each(Array.from({ length: SECRET.length + 1 }, (_, n) => n))("%i inside", (inside) => {
    const after = "y".repeat(MAX - inside);
    const before = "x".repeat(MAX - inside);
    const { prompt, answer } = textsOf(`${"x".repeat(20_000)}${SECRET}${after}`, [
      before,
      SECRET.slice(0, 7),
      `${SECRET.slice(7)}${"y".repeat(20_000)}`,
    ]);
    expect(prompt).toBe(`${"x".repeat(20_000)}[redacted]${after}`.slice(-MAX));
    expect(answer).toBe(`${before}[redacted]${"y".repeat(20_000)}`.slice(0, MAX));
  });

  test.each(["Bearer ", "sk-"])("a credential that begins with %s", (begins) => {
    const credential = `${begins}${"k".repeat(100)}`;
    const { prompt, answer } = textsOf(
      ` ${"x ".repeat(10_000)}${credential} ${"y".repeat(MAX - 50)}`,
      [`${"x ".repeat((MAX - 10) / 2)}${credential} ${"y".repeat(20_000)}`],
    );
    expect(prompt).not.toContain("kk");
    expect(answer).not.toContain("kk");
    expect([prompt.length, answer.length]).toEqual([MAX, MAX]);
  });

  test("is not brought back by what was shortened before it", () => {
    const many = `${SECRET} `.repeat(1000);
    const { prompt, answer } = textsOf(many, [many]);
    for (const text of [prompt, answer]) {
      expect(text).not.toMatch(/[-a-z]*secret|\d/);
      expect(text).toContain("[redacted]");
    }
  });
});

test("short texts are kept as they are", () => {
  expect(textsOf("what", ["th", "at"])).toEqual({ prompt: "what", answer: "that" });
});
