/** The backups of one session: what `StateBackups` needs, from what the session has. */
import { setTimeout as sleep } from "node:timers/promises";
import type { RestorePlan } from "../../protocol/backup.ts";
import type { BootDocument } from "../../protocol/boot.ts";
import type { BackupReply, DrillReply } from "../../protocol/control.ts";
import type { Isolation } from "../isolation/isolation.ts";
import type { Log } from "../log.ts";
import { READER_ROLE } from "../agent-roles.ts";
import { roomAt } from "./drill-room.ts";
import { HostClient } from "./host-client.ts";
import { sendToHost } from "./host-send.ts";
import type { ReaderProcess } from "./reader-client.ts";
import { StateBackups } from "./state-backups.ts";
import { endUnfinished } from "./unfinished.ts";

export interface SessionBackupsParts {
  document: BootDocument;
  home: string;
  program: { node: string; bundle: string };
  isolation: Isolation;
  log: Log;
  seal: () => () => void;
  onChange: () => void;
}

const MAX_SAID_CHARS = 2_000;

/** Undefined when the boot document says that no bucket is bound. */
export function sessionBackups(parts: SessionBackupsParts): StateBackups | undefined {
  const { document, home, isolation, log, seal, onChange } = parts;
  if (document.backups === undefined) {
    // What the agent makes without a bucket is no part of a restore that broke off before.
    endUnfinished(home);
    return undefined;
  }
  return new StateBackups({
    agentId: document.agentId,
    home,
    settings: document.backups,
    host: new HostClient({ token: document.controlToken, send: sendToHost, wait: sleep }),
    openReader: () => openReader(parts),
    give: (path) => isolation.give(path),
    room: roomAt,
    log,
    now: Date.now,
    wait: sleep,
    seal,
    onChange,
  });
}

async function openReader(parts: SessionBackupsParts): Promise<ReaderProcess> {
  const { home, isolation, log, program } = parts;
  const reader = await isolation.spawn({
    argv: [program.node, program.bundle, READER_ROLE],
    env: { HOME: home, PATH: "/usr/bin:/bin", NODE_NO_WARNINGS: "1" },
    cwd: "/",
    keepInput: true,
  });
  let said = "";
  reader.stderr.setEncoding("utf8").on("data", (text: string) => {
    if (said.length < MAX_SAID_CHARS) said += text;
  });
  void reader.exited.then(() => {
    if (said.trim() !== "") log.warn(`the backup reader: ${said.trim().slice(0, MAX_SAID_CHARS)}`);
  });
  return {
    stdin: reader.stdin,
    stdout: reader.stdout,
    end: () => void reader.signal("SIGKILL"),
  };
}

const OFF = { ok: false, message: "no bucket is bound: nothing is kept" } as const;

export async function backUpNow(backups: StateBackups | undefined): Promise<BackupReply> {
  if (backups === undefined) return { ...OFF, reason: "no-bucket" };
  const made = await backups.commit("manual");
  if (!made.ok) return { ok: false, reason: made.reason, message: made.message };
  return { ok: true, made: made.made, generation: backups.status().generation };
}

export async function drill(
  backups: StateBackups | undefined,
  plan: RestorePlan,
): Promise<DrillReply> {
  if (backups === undefined) return OFF;
  const restored = await backups.drill(plan);
  if (restored.outcome !== "restored") {
    const why = restored.outcome === "failed" ? restored.message : "there is nothing to restore";
    return { ok: false, message: why };
  }
  const { generation, bytes, ms } = restored;
  return { ok: true, generation, bytes, ms };
}
