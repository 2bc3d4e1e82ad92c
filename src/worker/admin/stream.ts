/**
 * The admin page's one stream: the Durable Object's own status stream, with names put to what
 * changed, and the lines of one log when a reader asks for them.
 */
import * as z from "zod";
import type { AgentCalls } from "../agent-calls.ts";
import { eventData } from "../agent/event-stream.ts";
import { within } from "../deadline.ts";
import { ownHeaders } from "../replies.ts";
import type { LogLine } from "../../protocol/control.ts";

const LOG_PAUSE_MS = 1000;
const LOG_DEADLINE_MS = 10_000;
const STREAM_DEADLINE_MS = 10_000;
const HEARTBEAT_MS = 15_000;

/** What is read from a status: numbers that grow with what they count, and whether there are logs. */
const glance = z.object({
  startGeneration: z.number(),
  revisions: z.record(z.string(), z.number()),
  supervisor: z.unknown(),
});
type Glance = z.infer<typeof glance>;

type Send = (event: string, data: string) => Promise<void>;

export async function adminStream(
  request: Request,
  agent: AgentCalls,
  logs: LogLine["source"] | undefined,
): Promise<Response> {
  const over = new AbortController();
  const { signal } = over;
  const events = new Request(new URL("/_moltworker/events", request.url));
  const statuses = await within("the agent", STREAM_DEADLINE_MS, agent.fetch(events));
  if (!statuses.ok || statuses.body === null) return statuses;
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  const write = (text: string): Promise<void> => writer.write(encoder.encode(text));
  const end = (): void => over.abort();
  writer.closed.then(end, end);
  request.signal.addEventListener("abort", end);
  const heartbeat = setInterval(() => void write(": still here\n\n").catch(end), HEARTBEAT_MS);

  const send: Send = (event, data) => write(`event: ${event}\ndata: ${data}\n\n`);
  const latest: { seen?: Glance } = {};
  const ended = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve());
  });
  const work = [
    ended,
    followStatus(statuses.body, send, latest),
    ...(logs === undefined ? [] : [followLogs(agent, logs, send, latest, signal)]),
  ];
  void Promise.race(work)
    .catch(() => undefined)
    .then(async () => {
      clearInterval(heartbeat);
      end();
      await writer.close().catch(() => undefined);
    });
  return new Response(readable, {
    headers: ownHeaders({ "Content-Type": "text/event-stream; charset=utf-8" }),
  });
}

async function followStatus(
  body: ReadableStream<Uint8Array>,
  send: Send,
  latest: { seen?: Glance },
): Promise<void> {
  for await (const data of eventData(body)) {
    const before = latest.seen;
    const seen = glance.safeParse(JSON.parse(data));
    await send("status", data);
    if (!seen.success) continue;
    latest.seen = seen.data;
    if (before === undefined) continue;
    const changed = Object.entries(seen.data.revisions)
      .filter(([what, revision]) => revision !== before.revisions[what])
      .map(([what]) => what);
    if (changed.length > 0) await send("changed", JSON.stringify(changed));
  }
}

/** Without a sandbox there is no log; a new one counts its lines from the beginning. */
async function followLogs(
  agent: AgentCalls,
  source: LogLine["source"],
  send: Send,
  latest: { seen?: Glance },
  signal: AbortSignal,
): Promise<void> {
  let after: number | undefined;
  let generation: number | undefined;
  while (!signal.aborted) {
    const { seen } = latest;
    if (seen?.supervisor !== undefined) {
      if (seen.startGeneration !== generation) after = undefined;
      generation = seen.startGeneration;
      const query = { source, ...(after === undefined ? {} : { after }) };
      const lines = await within("the log", LOG_DEADLINE_MS, agent.logs(query)).catch(() => []);
      if (lines.length > 0) await send("logs", JSON.stringify({ lines }));
      after = lines.at(-1)?.n ?? after;
    }
    await scheduler.wait(LOG_PAUSE_MS, { signal });
  }
}
