/**
 * The page a person sees while the agent is not ready: which phase it is in, for how long, what went
 * wrong last, when the next try is. It comes from the Worker, needs nothing from elsewhere, and
 * works without scripts.
 */
import type { Phase, PhaseTiming } from "../../protocol/phase.ts";
import { SCRIPT, STYLE } from "./waiting-page-client.ts";

/** What the page and its event stream are told. */
export interface WaitState {
  phase: Phase;
  /** Milliseconds since the phase began. */
  elapsed: number;
  timings: PhaseTiming[];
  lastError?: string;
  /** False when no bucket is bound. */
  kept: boolean;
  /** Milliseconds until the next try. */
  retryIn?: number;
}

type Language = "en" | "zh";

const STEPS = ["starting", "restoring", "booting", "ready"] as const;

const WORDS: Record<
  Language,
  Record<"title" | "lead" | "error" | "retry" | "again" | "unkept" | Phase, string>
> = {
  en: {
    title: "Waking your agent",
    lead: "This page goes on by itself when the agent is ready.",
    error: "What went wrong",
    retry: "Next try in",
    again: "Look again",
    unkept: "No bucket is bound: nothing of this agent is kept.",
    stopped: "Asleep",
    starting: "Starting the sandbox",
    restoring: "Putting the state in place",
    booting: "Starting the gateway",
    ready: "Ready",
    draining: "Going to sleep",
    failed: "The start failed",
  },
  zh: {
    title: "正在唤醒你的助手",
    lead: "助手就绪后，本页会自动继续。",
    error: "出错原因",
    retry: "距下次重试",
    again: "重新查看",
    unkept: "未绑定存储桶：不会保存此助手的任何内容。",
    stopped: "休眠中",
    starting: "正在启动沙箱",
    restoring: "正在恢复状态",
    booting: "正在启动网关",
    ready: "就绪",
    draining: "正在进入休眠",
    failed: "启动失败",
  },
};

export function waitingPage(state: WaitState, acceptLanguage: string | null): Response {
  const language = chooseLanguage(acceptLanguage);
  const words = WORDS[language];
  const nonce = crypto.randomUUID();
  const again = Math.max(2, Math.ceil((state.retryIn ?? 0) / 1000));
  const html = `<!doctype html>
<html lang="${language === "zh" ? "zh-CN" : "en"}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<noscript><meta http-equiv="refresh" content="${again}"></noscript>
<title>${words.title}</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<main>
<h1>${words.title}</h1>
<p>${words.lead}</p>
${state.kept ? "" : `<p id="unkept"><strong>${words.unkept}</strong></p>\n`}<p id="now" role="status" aria-live="polite">${words[state.phase]}</p>
<ol>
${STEPS.map((step) => stepItem(step, words[step], state)).join("\n")}
</ol>
<section id="trouble"${state.lastError === undefined ? " hidden" : ""} aria-live="polite">
<h2>${words.error}</h2>
<pre id="error" tabindex="0">${escapeHtml(state.lastError ?? "")}</pre>
<p id="retry"${state.retryIn === undefined ? " hidden" : ""}>${words.retry} <b id="seconds">${again}</b> s</p>
</section>
<p><a href="">${words.again}</a></p>
</main>
<script type="application/json" id="words" nonce="${nonce}">${scriptJson({ words, state })}</script>
<script nonce="${nonce}">${SCRIPT}</script>
</body>
</html>
`;
  return new Response(html, {
    status: 503,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy":
        `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; ` +
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      "content-language": language === "zh" ? "zh-CN" : "en",
      "referrer-policy": "no-referrer",
      "retry-after": String(again),
      vary: "accept-language",
      "x-content-type-options": "nosniff",
    },
  });
}

function stepItem(step: (typeof STEPS)[number], word: string, state: WaitState): string {
  const done = state.timings.find(({ phase }) => phase === step);
  const current = step === state.phase ? ' aria-current="step"' : "";
  const seconds = step === state.phase ? state.elapsed : done?.ms;
  const time = seconds === undefined ? "" : `${(seconds / 1000).toFixed(1)} s`;
  return `<li id="${step}"${current}><span>${word}</span> <time>${time}</time></li>`;
}

/** Any kind of Chinese gets the one that is here, when it comes before English. */
export function chooseLanguage(acceptLanguage: string | null): Language {
  const wanted = (acceptLanguage ?? "")
    .split(",")
    .map((part) => {
      const [tag = "", ...parameters] = part.trim().toLowerCase().split(";");
      const q = parameters
        .map((p) => /^\s*q=([\d.]+)\s*$/.exec(p)?.[1])
        .find((v) => v !== undefined);
      return { tag, q: q === undefined ? 1 : Number(q) };
    })
    .filter(({ tag, q }) => /^(?:zh|en)\b/.test(tag) && q > 0)
    .toSorted((a, b) => b.q - a.q);
  return wanted[0]?.tag.startsWith("zh") === true ? "zh" : "en";
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? "");
}

/** JSON that cannot end the script element it stands in. */
function scriptJson(value: object): string {
  return JSON.stringify(value).replace(/</g, "\\u003c");
}
