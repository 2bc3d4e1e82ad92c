import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { perform } from "./agent-home.ts";
import { limitRepeats } from "./session-settings.ts";

let home: string;
beforeEach(() => (home = mkdtempSync(join(tmpdir(), "session-settings-"))));
afterEach(() => rmSync(home, { recursive: true, force: true }));

const pathOf = (id: string) => join(home, ".openclaw", "agents", id, "agent", "settings.json");
const read = (id: string): unknown => JSON.parse(readFileSync(pathOf(id), "utf8"));
function put(id: string, text: string) {
  mkdirSync(dirname(pathOf(id)), { recursive: true });
  writeFileSync(pathOf(id), text);
}

const ONE = { retry: { provider: { maxRetries: 1 } } };

it("stands in the first agent's file before the gateway has ever started, and is written once", () => {
  expect(perform({ task: "prepare", home, config: "{}" }, 0)).toMatchObject({ notes: [] });
  expect(read("main")).toEqual(ONE);
  expect(statSync(pathOf("main")).mode & 0o777).toBe(0o600);
  expect(limitRepeats(home)).toEqual([]);
});

it("reaches every agent there is, and no folder that is none", () => {
  put("work", "{}");
  mkdirSync(join(home, ".openclaw", "agents", "leftover"), { recursive: true });
  expect(limitRepeats(home).toSorted()).toEqual(["main", "work"]);
  expect(read("work")).toEqual(ONE);
  expect(existsSync(pathOf("leftover"))).toBe(false);
});

it("leaves what is set there, and sets it beside the rest", () => {
  const own = { theme: "dark", retry: { provider: { maxRetries: 9 } } };
  put("main", JSON.stringify(own));
  put("work", JSON.stringify({ theme: "dark", retry: { provider: { maxRetryDelayMs: 5 } } }));
  expect(limitRepeats(home)).toEqual(["work"]);
  expect(read("main")).toEqual(own);
  expect(read("work")).toEqual({
    theme: "dark",
    retry: { provider: { maxRetries: 1, maxRetryDelayMs: 5 } },
  });
});

it.each(["not json", "[]", '{"retry":false}'])(
  "leaves a file that is not as expected: %s",
  (text) => {
    put("main", text);
    expect(limitRepeats(home)).toEqual([]);
    expect(readFileSync(pathOf("main"), "utf8")).toBe(text);
  },
);

it("leaves what is no file", () => {
  mkdirSync(pathOf("main"), { recursive: true });
  expect(limitRepeats(home)).toEqual([]);
});

it("that cannot be written is a note, and no reason not to start", () => {
  mkdirSync(join(home, ".openclaw"));
  writeFileSync(join(home, ".openclaw", "agents"), "a file");
  const reply = perform({ task: "prepare", home, config: "{}" }, 0);
  expect(reply).toMatchObject({ ok: true, configWritten: true });
  expect(reply.ok && reply.notes[0]).toContain("session settings could not be written");
});
