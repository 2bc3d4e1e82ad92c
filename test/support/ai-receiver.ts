/** Takes the alerts that a webhook would. */
import { once } from "node:events";
import { createServer } from "node:http";
import { z } from "zod";

const alert = z.looseObject({
  text: z.string(),
  event: z.string(),
  percent: z.number().optional(),
});

export interface Receiver {
  url: string;
  bodies: z.infer<typeof alert>[];
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const bodies: z.infer<typeof alert>[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    bodies.push(alert.parse(JSON.parse(Buffer.concat(chunks).toString())));
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");
  return {
    url: `http://127.0.0.1:${address.port}`,
    bodies,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
