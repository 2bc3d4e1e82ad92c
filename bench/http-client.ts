/** One kept-alive connection to one origin. */
import http from "node:http";

export interface HttpClient {
  /** Milliseconds until the whole answer is there. @throws Error for any status but 200 */
  time(path: string): Promise<number>;
  close(): void;
}

export function openClient(origin: string, headers: Record<string, string> = {}): HttpClient {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const { hostname, port } = new URL(origin);
  return {
    time(path) {
      return new Promise((resolve, reject) => {
        const began = performance.now();
        const request = http.get({ hostname, port, path, headers, agent }, (response) => {
          response.on("data", () => undefined);
          response.on("error", reject);
          response.on("end", () => {
            const took = performance.now() - began;
            if (response.statusCode === 200) resolve(took);
            else reject(new Error(`${origin}${path} answered ${response.statusCode}`));
          });
        });
        request.on("error", reject);
      });
    },
    close: () => agent.destroy(),
  };
}
