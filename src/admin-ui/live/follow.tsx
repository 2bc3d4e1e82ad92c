import { createContext, use, useEffect, useState, type ReactNode } from "react";
import { useLiveStream, type Connection, type Follow } from "./stream.ts";

const ConnectionContext = createContext<Connection>("connecting");
const FollowContext = createContext<(follow: Follow | undefined) => void>(() => undefined);

/** Holds the one stream open for as long as the page lives. */
export function Live({ children }: { children: ReactNode }) {
  const [follow, setFollow] = useState<Follow>();
  const connection = useLiveStream(follow);
  return (
    <FollowContext value={setFollow}>
      <ConnectionContext value={connection}>{children}</ConnectionContext>
    </FollowContext>
  );
}

export function useConnection(): Connection {
  return use(ConnectionContext);
}

/** Log lines arrive on the stream for as long as the calling room is on the page. */
export function useFollow(follow: Follow | undefined): void {
  const change = use(FollowContext);
  useEffect(() => {
    change(follow);
    return () => change(undefined);
  }, [change, follow]);
}
