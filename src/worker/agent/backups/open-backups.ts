/** Opens the backups of one agent: its bucket and its records, as the Worker's configuration wants them kept. */
import { Backups } from "../../backups/backups.ts";
import { DEFAULT_BOUNDS } from "../../backups/bounds.ts";
import { backupKeys, type BackupKeys } from "../../backups/cipher.ts";
import { DEFAULT_RETENTION, type RetentionPolicy } from "../../backups/retention.ts";
import { configOf } from "../../config.ts";
import type { Env } from "../../env.ts";
import { pause } from "../budget.ts";
import type { RecordStore } from "../store/records.ts";

export interface OpenBackups {
  /** Undefined when no bucket is bound. */
  backups: Backups | undefined;
  retention: RetentionPolicy;
  /** Undefined when backups are not encrypted. */
  keys(): Promise<BackupKeys | undefined>;
}

/** R2 takes about one write a second to one name. */
export const WRITE_INTERVAL_MS = 1_000;
const SETTING = "backups";

export function openBackups(
  env: Env,
  agentId: string,
  records: RecordStore,
  changed: () => void,
): OpenBackups {
  const parsed = configOf(env);
  const { identities, retention } = parsed.ok
    ? parsed.config.backups
    : { identities: [], retention: DEFAULT_RETENTION };
  let made: Promise<BackupKeys | undefined> | undefined;
  const keys = () => (made ??= backupKeys(identities));
  const bucket = env.BACKUPS;
  if (bucket === undefined) return { backups: undefined, retention, keys };
  const backups = new Backups({
    ...{ agentId, bucket, keys, retention, changed },
    notebook: {
      read: (name) => records.setting(`${SETTING}.${name}`),
      write: (name, value) => records.setSetting(`${SETTING}.${name}`, value),
    },
    bounds: DEFAULT_BOUNDS,
    now: Date.now,
    wait: pause,
    writeIntervalMs: WRITE_INTERVAL_MS,
  });
  return { backups, retention, keys };
}
