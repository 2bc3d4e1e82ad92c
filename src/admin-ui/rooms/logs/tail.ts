import { useEffect, useMemo, useRef, useState } from "react";
import type { LogLine } from "../../../protocol/control.ts";
import { useFollow } from "../../live/follow.tsx";
import type { LogSource } from "../../live/stream.ts";
import { joined } from "./lines.ts";

export interface Tail {
  lines: LogLine[];
  paused: boolean;
  /** Lines that came while it was paused. */
  waiting: number;
  pause(): void;
  resume(): void;
}

/** The lines of a source as they come. While paused the list stands still and nothing is lost. */
export function useLogLines(source: LogSource): Tail {
  const [arrived, setArrived] = useState<LogLine[]>([]);
  const [frozen, setFrozen] = useState<LogLine[]>();
  const shown = useRef(source);

  useEffect(() => {
    if (shown.current === source) return;
    shown.current = source;
    setArrived([]);
    setFrozen(undefined);
  }, [source]);

  const follow = useMemo(
    () => ({
      source,
      onLines: (lines: LogLine[]) => {
        const own = lines.filter((line) => line.source === source);
        setArrived((before) => joined(before, own));
      },
    }),
    [source],
  );
  useFollow(follow);

  const waiting =
    frozen === undefined ? 0 : arrived.filter(({ n }) => n > (frozen.at(-1)?.n ?? -1)).length;
  return {
    lines: frozen ?? arrived,
    paused: frozen !== undefined,
    waiting,
    pause: () => setFrozen(arrived),
    resume: () => setFrozen(undefined),
  };
}
