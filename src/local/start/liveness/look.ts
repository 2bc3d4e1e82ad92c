/** One look at a runtime: whether anything at all answers there. */
import http from "node:http";

/**
 * Whatever the answer says, something is alive there. Each look has a connection of its own, and goes
 * through no proxy.
 */
export function answers(url: URL, deadlineMs: number): Promise<boolean> {
  const signal = AbortSignal.timeout(deadlineMs);
  return new Promise((resolve) => {
    const request = http.get(url, { agent: new http.Agent(), signal }, (response) => {
      response.destroy();
      resolve(true);
    });
    request.on("error", () => resolve(false));
  });
}
