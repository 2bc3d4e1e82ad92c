/** The waiting page's own style and script, as they stand in the page. */
export const STYLE = `
:root { font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; display: grid; min-height: 100vh; place-items: center; }
main { box-sizing: border-box; width: min(34rem, 100%); padding: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1rem; margin: 1rem 0 .25rem; }
#now { font-weight: 600; }
ol { list-style: none; margin: 0; padding: 0; }
li { display: flex; justify-content: space-between; gap: 1rem; padding: .5rem .75rem;
  border-inline-start: 3px solid #8886; }
li[aria-current] { border-color: #2f6fed; font-weight: 600; }
time { font-variant-numeric: tabular-nums; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; max-height: 40vh; overflow: auto;
  padding: .75rem; background: #8882; border-radius: .5rem; }
a { display: inline-block; padding: .5rem 0; }
`;

/**
 * Follows `/_moltworker/events`. A broken stream is opened again by the browser itself; the page is
 * loaded again when the agent is ready, and also when it sleeps, because loading is what wakes it.
 */
export const SCRIPT = `
"use strict";
const { words, state } = JSON.parse(document.getElementById("words").textContent);
const byId = (id) => document.getElementById(id);
const seconds = (ms) => (Math.max(0, ms) / 1000).toFixed(1) + " s";
let shown = state;
let at = performance.now();
const draw = () => {
  const passed = performance.now() - at;
  for (const step of ["starting", "restoring", "booting", "ready"]) {
    const item = byId(step);
    const done = shown.timings.find((timing) => timing.phase === step);
    const here = shown.phase === step;
    if (here) item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
    item.querySelector("time").textContent =
      here ? seconds(shown.elapsed + passed) : done ? seconds(done.ms) : "";
  }
  if (byId("now").textContent !== words[shown.phase]) byId("now").textContent = words[shown.phase];
  byId("trouble").hidden = shown.lastError === undefined;
  if (byId("error").textContent !== (shown.lastError ?? "")) {
    byId("error").textContent = shown.lastError ?? "";
  }
  byId("retry").hidden = shown.retryIn === undefined;
  if (shown.retryIn !== undefined) {
    const left = Math.ceil((shown.retryIn - passed) / 1000);
    byId("seconds").textContent = String(Math.max(0, left));
  }
};
setInterval(draw, 200);
draw();
const events = new EventSource("/_moltworker/events");
events.onmessage = (event) => {
  shown = JSON.parse(event.data);
  at = performance.now();
  draw();
  if (shown.phase !== "ready" && shown.phase !== "stopped") return;
  events.close();
  setTimeout(() => location.reload(), shown.phase === "ready" ? 0 : 1000);
};
`;
