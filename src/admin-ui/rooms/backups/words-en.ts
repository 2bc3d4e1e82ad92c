import type { GenerationView, RetentionView } from "../../../protocol/admin-backups.ts";
import type { ImportView, Relink, SecretKind, SkipReason } from "../../../protocol/import.ts";

/** The other language has the same shape. */
export const en = {
  nothingKept: "Nothing is kept",
  nothingKeptHelp:
    "No R2 bucket is bound, so everything the agent learns is lost when its sandbox ends. Bind a bucket as BACKUPS in wrangler.jsonc and deploy again; the next start keeps its state there.",
  name: (n: number) => `Backup #${n}`,
  summary: {
    title: "At a glance",
    last: "Last backup",
    never: "none yet",
    neverHelp: "The first one is made as soon as the agent runs.",
    verified: "Last verified restore",
    verifiedNever: "none yet",
    verifiedHelp: "A backup was restored into a scratch folder, opened and checked.",
    verifiedNeverHelp: "Once a day while the agent runs, or now with “Verify the newest”.",
    size: "State",
    files: (files: string) => `${files} files`,
    unsaved: (since: string) => `Changes since ${since} are not in a backup yet.`,
    saved: "Everything the agent wrote is in a backup.",
    asleep: "The agent does not run: nothing changes until it starts.",
    encrypted: "Encrypted",
    encryptedHelp: "Only your backup key opens them.",
    plain: "Not encrypted",
    plainHelp: "Set BACKUP_KEY: whoever can read the bucket can read everything.",
    backUp: "Back up now",
    backUpDone: (n: number | undefined) =>
      n === undefined ? "Nothing changed since the last backup." : `Kept as backup #${n}.`,
    verify: "Verify the newest",
    verifyAll: "Verify all",
    verifyDone: "It can be restored.",
    verifyAllDone: "All of them can be restored.",
    goesOn: "It takes longer and goes on. The list below shows how it ends.",
    notRunning: "Both need a running agent.",
    problem: "Backups need attention",
    failure: "The last attempt failed",
  },
  leftOut: {
    title: "Not in the backups",
    about:
      "These could not be kept at the last look. What they held before stays in the newest backup. Ask the agent to remove or mend them if you need them kept.",
    states:
      "States that a former sandbox left on its disk, newer than the backups. No backup holds what was new in them. Take from them what you need, then delete them there: at most the newest three stay.",
  },
  timeline: {
    title: "Timeline",
    count: (count: string) => `${count} backups`,
    until: "As it was at",
    untilHelp: "Shows the backup that held at that moment, and the ones before it.",
    untilClear: "Show all",
    none: "There is no backup yet.",
    noneThen: "There was no backup yet at that moment.",
    more: "Show older",
    newest: "newest",
    encryptedNot: "not encrypted",
    verified: (when: string) => `restore verified ${when}`,
    damaged: "damaged",
    damagedHelp: (problem: string) => `It cannot be restored: ${problem}`,
    changed: (changed: string, removed: string, bytes: string) =>
      `${changed} changed, ${removed} removed, ${bytes}`,
    whole: (files: string, bytes: string) => `${files} files, ${bytes} in all`,
    empty: "The agent began with nothing.",
    restore: "Restore",
    verify: "Verify",
    download: "Download",
    of: (what: string, n: number) => `${what}: backup #${n}`,
  },
  reasons: {
    change: "after a change",
    final: "before a stop",
    manual: "made by hand",
    recovery: "saved after a crash",
    restore: "restored",
    afresh: "started afresh",
    import: "imported",
  } satisfies Record<GenerationView["reason"], string>,
  restoredFrom: (n: number) => `restored from #${n}`,
  restore: {
    title: (n: number) => `Restore backup #${n}?`,
    text: (when: string, files: string, bytes: string) =>
      `The agent gets back the state of ${when}: ${files} files, ${bytes}.`,
    running: [
      "Its present state is backed up first, so you can come back to it.",
      "Then it stops, and starts again with the old state. Open conversations are interrupted.",
    ],
    stopped: ["It does not run now. Its next start begins with the old state."],
    always: [
      "Whatever came after that moment is not in it: messages, memory, files, paired devices.",
      "No backup is deleted: everything newer stays in the timeline.",
    ],
    action: "Restore",
    begun: "The restore is under way.",
    done: (n: number) => `The agent runs with the state of backup #${n}.`,
    next: (n: number) => `The next start begins with backup #${n}.`,
  },
  progress: {
    saving: "Backing up what is there",
    ended: "It ended otherwise than expected",
    dismiss: "Close",
    working: (what: string) => `Under way: ${what}`,
  },
  kit: {
    title: "Recovery kit",
    about:
      "A text file with the key, where the backups lie, and the commands that restore them without moltworker. Keep it where only you can read it: a password manager, or printed.",
    once: "It is handed out once for each key.",
    take: "Download the kit",
    again: "Download again",
    againHelp: "Until you leave this page it can be downloaded again.",
    taken: (when: string) => `Handed out ${when}. It is not handed out twice for the same key.`,
    askTitle: "Download the recovery kit now?",
    askText:
      "It holds your backup key and is handed out this one time. Have a safe place ready for the file.",
    done: "The recovery kit is downloaded. Keep it safe.",
  },
  imports: {
    title: "Import",
    about:
      "Brings in the state of an OpenClaw, Moltbot or Clawdbot you ran elsewhere: a backup of theirs, or moltbot-backup.tar.gz. Nothing comes in before you have seen what it holds.",
    choose: "Archive (.tar.gz or .tar, at most 2 GB)",
    start: "Upload",
    again: "Continue the upload",
    same: (name: string, there: string, parts: string) =>
      `${name}: ${there} of ${parts} parts are here. Choose the same file again to send the rest.`,
    other: "Another file takes the place of the archive that is here.",
    tooLarge: "It is larger than 2 GB.",
    sending: (name: string) => `Uploading ${name}`,
    progress: (sent: string, total: string) => `${sent} of ${total}`,
    waiting: "The connection is lost. It goes on by itself.",
    pause: "Pause",
    resume: "Go on",
    paused: "Paused.",
    uploaded: "The archive is here.",
    look: "See what it holds",
    looking: "Reading the whole archive. This changes nothing.",
    apply: "Bring it in",
    remove: "Remove the archive",
    removed: "The archive is removed.",
    removeTitle: "Delete the archive from the bucket?",
    removeText: (name: string) =>
      `${name} was put into the bucket by somebody. It is deleted there; what was brought in from it stays.`,
    askTitle: "Bring this archive in?",
    askText: (name: string) => `The agent’s state becomes what ${name} holds.`,
    running: [
      "The present state is backed up first, so you can come back to it.",
      "Then the agent stops, and starts again with the archive’s content.",
    ],
    stopped: ["The agent does not run now. Its next start takes the archive in."],
    always: ["Secrets in it stay outside: set them again in this deployment’s settings."],
    begun: "The import is under way.",
    done: "The archive’s content is the agent’s state now.",
    states: {
      uploading: "not all of it is here",
      uploaded: "here, not taken in",
      waiting: "waits for the next start",
      done: "taken in",
      refused: "not taken in",
    } satisfies Record<ImportView["state"], string>,
  },
  report: {
    refused: "It cannot be taken in",
    title: "What would come in",
    sum: (files: string, bytes: string) => `${files} files, ${bytes}.`,
    root: (path: string) => `Found in the archive at ${path}.`,
    folder: "Folder",
    filesHead: "Files",
    size: "Size",
    top: "(the folder itself)",
    secrets: "Secrets that stay outside",
    secretsHelp: "They are recognised and not taken. Set them again as settings.",
    secretsInside:
      "Logins inside the gateway’s databases are removed as well when the archive comes in. Which there are is not looked up here.",
    relink: "To set up again by hand",
    relinks: (one: Relink) => {
      const name = one.name ?? "";
      switch (one.what) {
        case "channel":
          return `Channel ${name}`;
        case "devices":
          return "Devices: each browser and phone pairs again";
        case "models":
          return "Logins of model providers";
        default:
          return `Plugin ${name}`;
      }
    },
    skipped: (count: string) => `Left out: ${count}`,
    why: {
      outside: "not part of the state",
      regenerated: "made again by the gateway",
      config: "written from this deployment’s settings",
      secret: "a secret",
      link: "a link",
      folder: "a folder",
    } satisfies Record<SkipReason, string>,
    kinds: {
      environment: "environment file",
      credentials: "credentials",
      "model-login": "login of a model provider",
      device: "device key",
      "private-key": "private key",
      config: "setting",
    } satisfies Record<SecretKind, string>,
  },
  retention: {
    title: "Retention",
    policy: ({ allHours, hourlyDays, dailyDays, weeklyWeeks }: RetentionView) => [
      `Every backup of the last ${allHours} hours`,
      `one an hour for ${hourlyDays} days`,
      `one a day for ${dailyDays} days`,
      `one a week for ${weeklyWeeks} weeks`,
    ],
    always:
      "The newest three stay in any case, and so do the newest one that is not damaged and the newest one that is known to restore. BACKUP_RETENTION changes this.",
    last: (when: string) => `Last tidied up ${when}; it happens every hour.`,
    prune: "Tidy up now",
    askTitle: "Delete what is no longer to be kept?",
    askText: "Backups outside the rules above are deleted for good.",
    done: "What is no longer to be kept is deleted.",
  },
  afresh: {
    title: "Start afresh",
    about:
      "The agent begins with nothing: no memory, no conversations, no paired devices. Its backups stay, so you can come back.",
    open: "Start afresh",
    askTitle: "Start afresh?",
    type: (phrase: string) => `Type “${phrase}” to confirm`,
    running: [
      "The present state is backed up first.",
      "Then the agent stops, and starts again empty.",
    ],
    stopped: ["The agent does not run now. Its next start begins empty."],
    always: ["No backup is deleted: any of them can be restored."],
    begun: "Starting afresh is under way.",
    done: "The agent has started afresh.",
  },
};

export type Words = typeof en;
