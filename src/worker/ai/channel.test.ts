import { expect, test } from "vitest";
import { channelIn } from "./channel.ts";

const runtime = (channel: string) =>
  `## Runtime\nRuntime: agent=main | session=agent:main:main | host=moltworker | os=Linux 6.1 (x64) | ` +
  `model=openai/gpt-5.5 | shell=bash | channel=${channel} | capabilities=none\nReasoning=off`;
const body = (system: string) =>
  JSON.stringify({ model: "m", messages: [{ role: "system", content: system }] });

test.each(["telegram", "slack", "discord", "webchat"])("%s is read from the prompt", (channel) => {
  expect(channelIn(body(runtime(channel)))).toBe(channel);
});

test("a channel that nobody knows is one of the others", () => {
  expect(channelIn(body(runtime("somewhere-else")))).toBe("other");
});

test.each([
  ["no prompt of the agent's", "hello"],
  ["a line without a channel", "Runtime: agent=main | host=x"],
  ["the word alone", "tell me about channel=telegram | and so on"],
  ["a channel after the line", `Runtime: agent=main\n| channel=telegram | x`],
  ["one that goes on for too long", `Runtime: ${"x".repeat(3000)} | channel=telegram | y`],
])("nothing is read from %s", (_name, system) => {
  expect(channelIn(body(system))).toBeUndefined();
});
