/** What a person needs to restore without this project: the keys, where the data is, the commands. */
import type { BackupKeys } from "./cipher.ts";
import { RESTORE_COMMANDS, WITHOUT_MANIFEST_COMMANDS } from "./restore-commands.ts";

export interface KitFacts {
  agentId: string;
  keys: BackupKeys | undefined;
  /** Milliseconds since the epoch. */
  now: number;
}

export function recoveryKit({ agentId, keys, now }: KitFacts): string {
  const made = new Date(now).toISOString();
  const identities = keys?.identities.map(
    ({ identity, recipient }) => `# opens what is encrypted to ${recipient}\n${identity}`,
  );
  const key =
    identities === undefined
      ? "The backups are not encrypted: BACKUP_KEY was not set when this was made.\nLeave `age -d -i key.txt |` out of the commands.\n"
      : `Put these lines into a file named key.txt:\n\n    ${identities.join("\n").replaceAll("\n", "\n    ")}\n`;
  return `moltworker recovery kit, made ${made}

Keep this where only you can read it: whoever has it and the bucket has everything the agent knows.
It is handed out once for each key.

1. Key
======

${key}
2. Data
=======

Bucket:  moltbot-data
         (of \`npm start\`: the same bucket, kept by workerd in the state folder; use the admin page's
         download there)
Folder:  agents/${agentId}/backups/

Copy that folder out of the bucket with any S3 client, for example

    rclone copy r2:moltbot-data/agents/${agentId}/backups/ backups/

3. Commands
===========

With \`age\`, \`zstd\`, \`tar\` and \`jq\`, in that folder, with key.txt in it. The state is in
restored/.openclaw afterwards; put it to ~/.openclaw of an ordinary install.

${RESTORE_COMMANDS}
If manifest.json is lost or damaged: these in place of the \`jq\` line that reads it. When a pack is
missing or damaged then, move the folder of the newest generation out of packs/, take restored and
unpacked away and begin again.

${WITHOUT_MANIFEST_COMMANDS}`;
}
