/** What the demo model answers. Pure: the same conversation gives the same reply. */
import type { Question, Reply, Turn } from "./conversation.ts";
import { ownWords } from "./own-words.ts";
import { phrases } from "./phrases.ts";
import type { Phrases } from "./phrases.ts";

const MAX_ECHO = 2000;
const MAX_TOOL_RESULT = 4000;
const HISTORY =
  /^(?:history|what did i say(?: first| before)?|历史|我(?:之前|刚才)?说(?:过|了)什么)\s*[?？.。!]?$/i;
const STEP = /^[ \t]*tool:[ \t]*([\w.:/-]+)[ \t]*(.*)$/gim;

export function answer({ turns, tools }: Question): Reply {
  const spoken = turns.map((turn) =>
    turn.role === "user" ? { ...turn, text: ownWords(turn.text) } : turn,
  );
  const at = spoken.findLastIndex(isSaid);
  const asked = spoken[at];
  if (asked === undefined || asked.role !== "user") return say(phrases("").nothingAsked);

  const earlier = spoken.slice(0, at).filter(isSaid);
  const results = spoken.slice(at + 1).flatMap((turn) => (turn.role === "tool" ? [turn.text] : []));
  const words = phrases(asked.text);
  const steps = [...asked.text.matchAll(STEP)];
  if (steps.length > 0) return takeStep(steps, results, tools, words);
  if (HISTORY.test(asked.text)) return say(history(earlier, words));

  const echo = words.youSaid(cut(asked.text, MAX_ECHO), asked.images);
  return say(`${earlier.length === 0 ? words.introduction : words.reminder}\n\n${echo}`);
}

/** A person's own turn with something in it; what only the gateway put there does not count. */
function isSaid(turn: Turn): boolean {
  return turn.role === "user" && (turn.text !== "" || turn.images > 0);
}

function takeStep(
  steps: RegExpExecArray[],
  results: string[],
  tools: string[],
  words: Phrases,
): Reply {
  const next = steps[results.length];
  if (next === undefined) {
    return say(
      results.map((result) => words.toolAnswered(cut(result, MAX_TOOL_RESULT))).join("\n\n"),
    );
  }
  const [, name = "", json = ""] = next;
  if (!tools.includes(name)) return say(words.noSuchTool(name, tools));
  const input = parseObject(json.trim());
  return input === undefined ? say(words.notAnObject(name)) : { kind: "tool", name, input };
}

function parseObject(json: string): object | undefined {
  if (json === "") return {};
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function history(earlier: Turn[], words: Phrases): string {
  const said = earlier.flatMap((turn) => (turn.role === "user" ? [cut(turn.text, 200)] : []));
  if (said.length === 0) return words.noHistory;
  const list = said.map((text, index) => `${index + 1}. ${text.replaceAll("\n", " ")}`);
  return `${words.history}\n${list.join("\n")}`;
}

function say(text: string): Reply {
  return { kind: "text", text };
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
