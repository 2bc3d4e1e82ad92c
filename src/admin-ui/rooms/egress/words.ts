const en = {
  about:
    "The sandbox has no way out of its own: everything it asks for passes the Worker, and a host that is not listed is refused. Model providers and chat platforms need no entry; the Worker reaches those itself.",
  held: "The panic button holds everything shut: nothing leaves the sandbox, whatever is listed.",
  allowed: "Allowed hosts",
  allowedNone: "None",
  allowedNoneHelp: "The sandbox reaches no host on the internet.",
  patterns: {
    exact: "this host alone",
    wildcard: "every host below it, not itself",
    port: (port: string) => `port ${port} only`,
  },
  refused: "Refused hosts",
  refusedHelp: "What the sandbox asked for and did not get, latest first.",
  refusedNone: "Nothing was refused so far.",
  times: (count: string) => (count === "1" ? "once" : `${count} times`),
  last: (when: string) => `last ${when}`,
  allow: "Allow",
  allowOf: (host: string) => `Allow ${host}`,
  howTitle: "How to allow a host",
  how: [
    "On your own machine write the line below into .dev.vars and run npm start again.",
    "Deployed, set it as a variable in wrangler.jsonc and run npm run deploy.",
  ],
  askTitle: (host: string) => `Allow ${host}?`,
  warning:
    "The agent can then send this host whatever it knows, and a text that takes the agent over can make it do so. Allow only hosts you trust with that.",
  copy: "Copy the line",
  done: "Close",
  example: "api.example.org",
};

type Words = typeof en;

const zh: Words = {
  about:
    "沙箱自身没有出口：它的一切请求都经过 Worker，未列出的主机会被拒绝。模型提供商和聊天平台无需列出，由 Worker 自己访问。",
  held: "紧急按钮已锁定一切：无论列出什么，沙箱都无法访问外部。",
  allowed: "允许的主机",
  allowedNone: "无",
  allowedNoneHelp: "沙箱不能访问互联网上的任何主机。",
  patterns: {
    exact: "仅此主机",
    wildcard: "其下的所有主机，不含自身",
    port: (port) => `仅端口 ${port}`,
  },
  refused: "被拒绝的主机",
  refusedHelp: "沙箱请求过但未能访问的主机，最近的在前。",
  refusedNone: "到目前为止没有拒绝过任何主机。",
  times: (count) => `${count} 次`,
  last: (when) => `最近一次：${when}`,
  allow: "允许",
  allowOf: (host) => `允许 ${host}`,
  howTitle: "如何允许一个主机",
  how: [
    "在自己的机器上：把下面这一行写入 .dev.vars，然后重新运行 npm start。",
    "已部署时：在 wrangler.jsonc 中设为变量，然后运行 npm run deploy。",
  ],
  askTitle: (host) => `允许 ${host}？`,
  warning:
    "此后助手可以把它知道的任何内容发送给该主机，操纵了助手的文字也能让它这样做。请只允许你信得过的主机。",
  copy: "复制这一行",
  done: "关闭",
  example: "api.example.org",
};

export const WORDS = { en, zh };
