/** One look at a runtime: whether anything at all answers there. */
import http from "node:http";

/** `closed`: nobody takes connections there. */
export type Seen = "answered" | "unanswered" | "closed";

/**
 * Whatever the answer says, something is alive there. Each look has a connection of its own, and goes
 * through no proxy.
 */
export function lookAt(url: URL, deadlineMs: number): Promise<Seen> {
  const signal = AbortSignal.timeout(deadlineMs);
  return new Promise((resolve) => {
    const request = http.get(url, { agent: new http.Agent(), signal }, (response) => {
      response.destroy();
      resolve("answered");
    });
    request.on("error", (error) => {
      resolve("code" in error && error.code === "ECONNREFUSED" ? "closed" : "unanswered");
    });
  });
}
