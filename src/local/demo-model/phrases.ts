/** The demo model's sentences, in the language of the question. */
export interface Phrases {
  introduction: string;
  reminder: string;
  youSaid(text: string, images: number): string;
  history: string;
  noHistory: string;
  toolAnswered(result: string): string;
  noSuchTool(name: string, tools: string[]): string;
  notAnObject(name: string): string;
  nothingAsked: string;
}

const ENGLISH: Phrases = {
  introduction: [
    "I am moltworker's built-in demo model: a small program that only echoes. There is no intelligence here, but everything around it is real: the agent, its sandbox, its tools, its memory of this conversation.",
    "For a real model put ANTHROPIC_API_KEY=… or OPENAI_API_KEY=… into .dev.vars (for a server of your own: OPENAI_BASE_URL and MODEL) and start again.",
    'To try things out: `history` lists what you said before; a line `tool: exec {"command": "uname -a"}` makes me call that tool.',
  ].join("\n\n"),
  reminder: "(Demo model, no intelligence. Set ANTHROPIC_API_KEY in .dev.vars for a real one.)",
  youSaid: (text, images) =>
    `You said: ${text}${images === 0 ? "" : ` (with ${images} image${images === 1 ? "" : "s"}, which I cannot see)`}`,
  history: "Before this you said:",
  noHistory: "This is the first thing you said.",
  toolAnswered: (result) => `The tool answered: ${result}`,
  noSuchTool: (name, tools) =>
    `There is no tool named ${name} here. ${tools.length === 0 ? "No tool is offered." : `Offered: ${tools.join(", ")}.`}`,
  notAnObject: (name) => `What follows "tool: ${name}" is not a JSON object on one line.`,
  nothingAsked: "I am moltworker's built-in demo model. Nothing was asked.",
};

const CHINESE: Phrases = {
  introduction: [
    "我是 moltworker 内置的演示模型:一个只会复述的小程序。这里没有智能,但周围的一切都是真的:助手、沙箱、工具,以及对这段对话的记忆。",
    "要使用真正的模型,请在 .dev.vars 中填写 ANTHROPIC_API_KEY=… 或 OPENAI_API_KEY=…(自己的服务器:OPENAI_BASE_URL 和 MODEL),然后重新启动。",
    '可以试试:“历史”会列出你之前说过的话;写一行 `tool: exec {"command": "uname -a"}`,我就会调用这个工具。',
  ].join("\n\n"),
  reminder: "(演示模型,没有智能。在 .dev.vars 中设置 ANTHROPIC_API_KEY 即可使用真正的模型。)",
  youSaid: (text, images) => `你说:${text}${images === 0 ? "" : `(附 ${images} 张图片,我看不到)`}`,
  history: "在此之前你说过:",
  noHistory: "这是你说的第一句话。",
  toolAnswered: (result) => `工具回答:${result}`,
  noSuchTool: (name, tools) =>
    `这里没有名为 ${name} 的工具。${tools.length === 0 ? "没有提供任何工具。" : `可用的有:${tools.join("、")}。`}`,
  notAnObject: (name) => `“tool: ${name}” 后面不是写在一行里的 JSON 对象。`,
  nothingAsked: "我是 moltworker 内置的演示模型。没有收到问题。",
};

/** Chinese when the text has Chinese characters and no Japanese ones. */
export function phrases(text: string): Phrases {
  const chinese =
    /\p{Script=Han}/u.test(text) && !/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text);
  return chinese ? CHINESE : ENGLISH;
}
