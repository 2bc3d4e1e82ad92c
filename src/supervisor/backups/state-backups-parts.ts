import type { BackupSettings } from "../../protocol/backup.ts";
import type { HostClient } from "./host-client.ts";
import type { ReaderProcess } from "./reader-client.ts";

/** What the rooms of the backups stand on. */
export interface StateBackupsParts {
  agentId: string;
  home: string;
  settings: BackupSettings;
  host: HostClient;
  /** Starts the reader as the agent. */
  openReader: () => Promise<ReaderProcess>;
  /** Makes a restored file or folder the agent's. */
  give: (path: string) => void;
  /** Bytes that a drill may take of where a folder lies. */
  room: (folder: string) => number;
  log: { info(text: string): void; warn(text: string): void; error(text: string): void };
  now: () => number;
  wait: (ms: number) => Promise<void>;
  /** A pass begins to read; what it answers is called when all of it is kept. */
  seal: () => () => void;
  onChange: () => void;
}
