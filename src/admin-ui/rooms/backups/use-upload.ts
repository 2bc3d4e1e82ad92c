import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { BACKUPS_API } from "../../../protocol/admin-backups.ts";
import { MAX_IMPORT_BYTES, type ImportView } from "../../../protocol/import.ts";
import { call } from "../../api/client.ts";
import { sendMissing } from "./upload.ts";

export interface Upload {
  /** What is being sent, or was when it was paused. */
  view: ImportView | undefined;
  sending: boolean;
  /** For the connection to come back. */
  waiting: boolean;
  error: unknown;
  /** Goes on with what is there of the same file. */
  start(file: File, there: ImportView | undefined): void;
  pause(): void;
  resume(): void;
}

interface State {
  view?: ImportView;
  sending: boolean;
  waiting: boolean;
  error?: unknown;
}

const IDLE: State = { sending: false, waiting: false };

export function useUpload(): Upload {
  const queries = useQueryClient();
  const [state, setState] = useState<State>(IDLE);
  const file = useRef<File>(undefined);
  const pausing = useRef<AbortController>(undefined);
  const change = (next: Partial<State>): void => setState((before) => ({ ...before, ...next }));

  useEffect(() => () => pausing.current?.abort(), []);

  async function send(view: ImportView, bytes: File): Promise<void> {
    const controller = new AbortController();
    pausing.current = controller;
    try {
      await sendMissing(bytes, view, {
        signal: controller.signal,
        onArrived: (arrived) => change({ view: arrived }),
        onWaiting: (waiting) => change({ waiting }),
      });
    } catch (error) {
      change({ error });
    } finally {
      // What was there before would show again until the new list has come.
      await queries.invalidateQueries({ queryKey: ["backups", "imports"] });
      change({ sending: false, waiting: false });
    }
  }

  async function begin(chosen: File, there: ImportView | undefined): Promise<void> {
    file.current = chosen;
    setState({ ...IDLE, sending: true });
    try {
      const view =
        there !== undefined && isSame(chosen, there)
          ? there
          : await call(BACKUPS_API.beginImport, {
              body: { name: chosen.name.slice(0, 200), bytes: chosen.size },
            });
      change({ view });
      await send(view, chosen);
    } catch (error) {
      change({ error, sending: false });
    }
  }

  return {
    view: state.view,
    sending: state.sending,
    waiting: state.waiting,
    error: state.error,
    start: (chosen, there) => void begin(chosen, there),
    pause() {
      pausing.current?.abort();
      change({ sending: false, waiting: false });
    },
    resume() {
      if (state.view === undefined || file.current === undefined) return;
      change({ sending: true, error: undefined });
      void send(state.view, file.current);
    },
  };
}

/** Whether what is there of an upload belongs to this file. */
export function isSame({ name, size }: { name: string; size: number }, there: ImportView): boolean {
  return there.state === "uploading" && there.bytes === size && there.name === name.slice(0, 200);
}

export function isTooLarge({ size }: { size: number }): boolean {
  return size > MAX_IMPORT_BYTES;
}
