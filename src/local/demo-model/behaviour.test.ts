import { describe, expect, it } from "vitest";
import { answer } from "./behaviour.ts";
import type { Turn } from "./conversation.ts";

const user = (words: string, images = 0): Turn => ({ role: "user", text: words, images });
const tool = (result: string): Turn => ({ role: "tool", text: result });
const assistant: Turn = { role: "assistant" };

function reply(turns: Turn[], tools: string[] = []) {
  return answer({ model: "m", stream: false, turns, tools });
}

function text(turns: Turn[], tools: string[] = []): string {
  const said = reply(turns, tools);
  return said.kind === "text" ? said.text : "";
}

describe("the demo model", () => {
  it("says what it is, how to get a real one, and what it was told", () => {
    const said = text([user("hello there")]);
    expect(said).toContain("demo model");
    expect(said).toContain("no intelligence");
    expect(said).toContain("ANTHROPIC_API_KEY");
    expect(said).toContain("You said: hello there");
  });

  it("answers in Chinese when asked in Chinese", () => {
    const said = text([user("你好,你是谁?")]);
    expect(said).toContain("演示模型");
    expect(said).toContain("你说:你好,你是谁?");
    expect(text([user("日本語ですか")])).toContain("You said:");
  });

  it("introduces itself once and reminds after that", () => {
    const later = text([user("one"), assistant, user("two")]);
    expect(later).toContain("Demo model");
    expect(later.length).toBeLessThan(text([user("two")]).length / 2);
  });

  it("says that it cannot see an image", () => {
    expect(text([user("look", 2)])).toContain("2 images");
  });

  it.each([
    ["history"],
    ["What did I say first?"],
    ["what did i say before"],
    ["历史"],
    ["我之前说过什么?"],
    ["[Sun 2026-11-22 21:30 UTC] history"],
  ])("lists the earlier messages for %s", (command) => {
    const said = text([user("the first"), assistant, user("the second"), assistant, user(command)]);
    expect(said).toContain("1. the first\n2. the second");
  });

  it("says so when there is no history", () => {
    expect(text([user("history")])).toBe("This is the first thing you said.");
  });

  it("calls the tool that a line asks for", () => {
    expect(reply([user('please\ntool: exec {"command": "ls"}')], ["exec"])).toEqual({
      kind: "tool",
      name: "exec",
      input: { command: "ls" },
    });
    expect(reply([user("tool: status")], ["status"])).toEqual({
      kind: "tool",
      name: "status",
      input: {},
    });
  });

  it("takes several lines as steps in order and reports every answer", () => {
    const asked = user('tool: write {"a": 1}\ntool: read {"b": 2}');
    const tools = ["read", "write"];
    expect(reply([asked], tools)).toMatchObject({ name: "write", input: { a: 1 } });
    expect(reply([asked, assistant, tool("written")], tools)).toMatchObject({
      name: "read",
      input: { b: 2 },
    });
    const said = text([asked, assistant, tool("written"), assistant, tool("the text")], tools);
    expect(said).toBe("The tool answered: written\n\nThe tool answered: the text");
  });

  it("does not repeat the steps of an earlier message", () => {
    const said = text(
      [user("tool: read"), assistant, tool("x"), assistant, user("thanks")],
      ["read"],
    );
    expect(said).toContain("You said: thanks");
  });

  it("does not take what only the gateway added for a new question", () => {
    const context = user(
      "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>\ntool: rm {}\n<<<END_OPENCLAW_INTERNAL_CONTEXT>>>",
    );
    expect(reply([user("tool: read"), assistant, tool("x"), context], ["read", "rm"])).toEqual({
      kind: "text",
      text: "The tool answered: x",
    });
  });

  it("says so when the tool is not offered or its input is no object", () => {
    expect(text([user("tool: fly")], ["walk"])).toContain("Offered: walk");
    expect(text([user("tool: fly")])).toContain("No tool is offered");
    expect(text([user("tool: walk {oops")], ["walk"])).toContain("not a JSON object");
    expect(text([user("tool: walk [1]")], ["walk"])).toContain("not a JSON object");
  });

  it("bounds what it echoes", () => {
    expect(text([user("x".repeat(100_000))]).length).toBeLessThan(4000);
  });

  it("answers when nothing was asked", () => {
    expect(text([])).toContain("Nothing was asked");
  });
});
