/**
 * The page's one stream. It fills the query cache, so that no room polls; a room that needs more
 * (the log) asks for it by `follow`.
 */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ADMIN_API, agentStatus, changedEvent, logsReply } from "../../protocol/admin.ts";
import type { LogLine } from "../../protocol/control.ts";
import { call, needsLogin } from "../api/client.ts";

export type Connection = "connecting" | "live" | "lost" | "signed-out";
export type LogSource = LogLine["source"];

export interface Follow {
  source: LogSource;
  onLines(lines: LogLine[]): void;
}

/** A lost stream is opened again after this long at first, then more slowly. */
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 15_000;

export function useLiveStream(follow: Follow | undefined): Connection {
  const queries = useQueryClient();
  const [connection, setConnection] = useState<Connection>("connecting");

  useEffect(() => {
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let retry = FIRST_RETRY_MS;
    let over = false;

    function open(): void {
      const query = follow === undefined ? "" : `?logs=${follow.source}`;
      source = new EventSource(`/api/events${query}`);
      source.addEventListener("open", () => {
        retry = FIRST_RETRY_MS;
        setConnection("live");
        // What changed while nobody listened.
        void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== "status" });
      });
      source.addEventListener("status", ({ data }) => {
        const status = agentStatus.safeParse(parse(data));
        if (status.success) queries.setQueryData(["status"], status.data);
      });
      source.addEventListener("changed", ({ data }) => {
        const changed = changedEvent.safeParse(parse(data));
        if (!changed.success) return;
        for (const what of changed.data) void queries.invalidateQueries({ queryKey: [what] });
      });
      source.addEventListener("logs", ({ data }) => {
        const reply = logsReply.safeParse(parse(data));
        if (reply.success) follow?.onLines(reply.data.lines);
      });
      source.addEventListener("error", () => void lost());
    }

    /** The browser does not say why a stream failed: one call tells a lost login from a lost line. */
    async function lost(): Promise<void> {
      source?.close();
      if (over) return;
      setConnection("lost");
      const signedOut = await call(ADMIN_API.status).then((status) => {
        queries.setQueryData(["status"], status);
        return false;
      }, needsLogin);
      if (over) return;
      if (signedOut) setConnection("signed-out");
      timer = setTimeout(open, retry);
      retry = Math.min(retry * 2, LONGEST_RETRY_MS);
    }

    open();
    return () => {
      over = true;
      clearTimeout(timer);
      source?.close();
    };
  }, [queries, follow]);

  return connection;
}

function parse(data: unknown): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return undefined;
  }
}
