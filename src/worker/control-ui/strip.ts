import { PAIRING_SCRIPT } from "./pairing.ts";
import type { SessionReply } from "../../protocol/session.ts";

/**
 * The first script of the Control UI's page. It hands the UI the gateway's inner token the way the
 * UI takes one, in the fragment, and shows a strip at the top while the agent is not ready.
 *
 * It never writes markup: the phase and the last error come from the sandbox and are set as text.
 */
export function bootstrapScript(session: SessionReply): string {
  // JSON is a subset of JavaScript; `<` is escaped so that the text is harmless inside HTML too.
  const token = JSON.stringify(session.gatewayToken).replaceAll("<", "\\u003c");
  return `${handOver(token)}\n${STRIP}\n${PAIRING_SCRIPT}`;
}

/** A link from elsewhere must not point the UI, and so the token, at another gateway. */
function handOver(token: string): string {
  return `(() => {
  const url = new URL(location.href);
  const fragment = new URLSearchParams(url.hash.slice(1));
  for (const name of ["gatewayUrl", "token", "password", "bootstrapToken"]) {
    fragment.delete(name);
    url.searchParams.delete(name);
  }
  fragment.set("token", ${token});
  url.hash = fragment.toString();
  history.replaceState(history.state, "", url);
})();`;
}

const STRIP = `(() => {
  const texts = navigator.language.toLowerCase().startsWith("zh")
    ? { stopped: "助手已停止，正在启动", starting: "正在启动沙箱", restoring: "正在恢复数据",
        booting: "正在启动网关", draining: "正在停止", failed: "启动失败", retry: "秒后重试",
        lost: "与服务器的连接中断，正在重连", seconds: "秒" }
    : { stopped: "The agent is stopped and will start now", starting: "Starting the sandbox",
        restoring: "Restoring the agent's data", booting: "Starting the gateway",
        draining: "Stopping", failed: "The start failed", retry: "s until the next try",
        lost: "Connection lost, trying again", seconds: "s" };
  let strip, label, phase = "", since = Date.now(), error = "", retryAt = 0, timer;

  const show = () => {
    if (!strip && document.body) {
      strip = document.createElement("div");
      strip.id = "moltworker-strip";
      strip.setAttribute("role", "status");
      strip.setAttribute("aria-live", "polite");
      Object.assign(strip.style, {
        position: "fixed", insetInline: "0", top: "0", zIndex: "2147483647",
        padding: "6px 12px", font: "14px/1.4 system-ui, sans-serif", textAlign: "center",
        color: "#fff", background: "#1f4e79", overflowWrap: "anywhere", pointerEvents: "none",
      });
      label = document.createElement("span");
      const clock = document.createElement("span");
      clock.setAttribute("aria-hidden", "true");
      strip.append(label, clock);
      document.body.prepend(strip);
    }
    if (!strip) return;
    const seconds = (ms) => Math.max(0, Math.round(ms / 1000)) + " " ;
    const text = (texts[phase] || phase) + (phase === "failed" && error ? ": " + error : "");
    if (label.textContent !== text) label.textContent = text;
    strip.lastChild.textContent = phase === "failed" && retryAt
      ? " · " + seconds(retryAt - Date.now()) + texts.retry
      : " · " + seconds(Date.now() - since) + texts.seconds;
    strip.style.background = phase === "failed" || phase === "lost" ? "#8e2a20" : "#1f4e79";
  };
  const enter = (next) => {
    if (next !== phase) since = Date.now();
    phase = next;
    timer ??= setInterval(show, 1000);
    show();
  };
  const done = () => {
    clearInterval(timer);
    events.close();
    strip?.remove();
  };
  const read = (event) => {
    const status = JSON.parse(event.data);
    error = typeof status.lastError === "string" ? status.lastError.slice(0, 500) : "";
    retryAt = typeof status.retryIn === "number" ? Date.now() + status.retryIn : 0;
    if (status.phase === "ready") done();
    else enter(String(status.phase));
  };
  const events = new EventSource("/_moltworker/events");
  events.onmessage = read;
  events.onerror = () => { if (phase !== "") enter("lost"); };
  document.addEventListener("DOMContentLoaded", () => { if (timer) show(); });
})();
`;
