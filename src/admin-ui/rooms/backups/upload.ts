/**
 * Sends an archive in parts. What has arrived is not sent again: not after a pause, a lost
 * connection, a page that was closed, or a Worker that began anew.
 */
import { IMPORT_PART_BYTES, importView, type ImportView } from "../../../protocol/import.ts";
import { ApiError, sendBytes } from "../../api/client.ts";

const PART_DEADLINE_MS = 180_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 15_000;

export interface UploadEvents {
  signal: AbortSignal;
  onArrived(view: ImportView): void;
  /** The connection is lost, and there again. */
  onWaiting(waiting: boolean): void;
}

/** @throws ApiError of what the Worker refuses; a lost connection is waited for. */
export async function sendMissing(
  file: Blob,
  { id, missing }: ImportView,
  events: UploadEvents,
): Promise<void> {
  for (const n of missing) {
    const arrived = await sendPart(file, id, n, events);
    if (arrived === undefined) return;
    events.onArrived(arrived);
  }
}

/** Undefined when it was paused. */
async function sendPart(
  file: Blob,
  id: string,
  n: number,
  { signal, onWaiting }: UploadEvents,
): Promise<ImportView | undefined> {
  const part = file.slice(n * IMPORT_PART_BYTES, (n + 1) * IMPORT_PART_BYTES);
  const path = `/api/backups/imports/${encodeURIComponent(id)}/parts/${n}`;
  for (let wait = FIRST_RETRY_MS; ; wait = Math.min(wait * 2, LONGEST_RETRY_MS)) {
    if (signal.aborted) return undefined;
    try {
      const deadlineMs = PART_DEADLINE_MS;
      const view = await sendBytes(path, part, { reply: importView, signal, deadlineMs });
      onWaiting(false);
      return view;
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!isPassing(error)) throw error;
      onWaiting(true);
      await pause(wait, signal);
    }
  }
}

/** Whether the same part may be taken at another time. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  const { status, code } = error;
  return code === "offline" || status === 408 || status === 429 || status >= 500;
}

/** Of all bytes, those that have arrived. */
export function arrivedBytes({ bytes, partBytes, parts, missing }: ImportView): number {
  if (missing.length === 0) return bytes;
  const lastSize = bytes - (parts - 1) * partBytes;
  const left = missing.reduce((sum, n) => sum + (n === parts - 1 ? lastSize : partBytes), 0);
  return bytes - left;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
