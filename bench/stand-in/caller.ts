/**
 * Makes streamed model calls to several addresses in turns, and one durable write a round. A process of
 * its own that keeps next to nothing, so that no collection of garbage is measured for a wait on the
 * way. Arguments: rounds to warm up, rounds, addresses. Prints what it measured as one line.
 */
import http from "node:http";
import { openDurableFile } from "../durable-write.ts";
import { CALL, type CallSample, type CallsMeasured } from "../model-calls.ts";

const [warmUp = 0, rounds = 0] = process.argv.slice(2, 4).map(Number);
const urls = process.argv.slice(4).map((url) => new URL(url));
const agent = new http.Agent({ keepAlive: true });
const body = Buffer.from(CALL.body);
const headers = { ...CALL.headers, "content-length": body.length };

const calls: CallSample[][] = urls.map(() => []);
const disk: number[] = [];
const file = await openDurableFile();
for (let round = -warmUp; round < rounds; round += 1) {
  for (const [at, url] of urls.entries()) {
    const sample = await call(url);
    if (round >= 0) calls[at]?.push(sample);
  }
  const written = await file.write();
  if (round >= 0) disk.push(written);
}
await file.close();
agent.destroy();
const measured: CallsMeasured = { calls, disk };
process.stdout.write(`${JSON.stringify(measured)}\n`);

function call(url: URL): Promise<CallSample> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    let first: number | undefined;
    const request = http.request(url, { method: CALL.method, headers, agent }, (response) => {
      response.on("data", () => (first ??= performance.now() - began));
      response.on("error", reject);
      response.on("end", () => {
        const whole = performance.now() - began;
        if (response.statusCode === 200 && first !== undefined) resolve({ first, whole });
        else reject(new Error(`${url.href} answered ${response.statusCode}`));
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}
