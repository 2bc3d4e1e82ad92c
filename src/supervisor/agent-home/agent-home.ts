import { text } from "node:stream/consumers";
import { configPaths, acceptConfig, revertConfig, writeConfig } from "./config-file.ts";
import { releaseLost } from "./lost-messages.ts";
import { limitRepeats } from "./session-settings.ts";
import { prepareState } from "./state-preparation.ts";
import type { HomeReply, HomeTask } from "./task.ts";
import { homeTask } from "./task.ts";

/** One task from standard input, one reply on standard output. */
export async function runHomeTask(): Promise<void> {
  let reply: HomeReply;
  try {
    reply = perform(homeTask.parse(JSON.parse(await text(process.stdin))), Date.now());
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    reply = { ok: false, message: message.slice(0, 2_000) };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}

type Prepare = Extract<HomeTask, { task: "prepare" }>;

export function perform(task: HomeTask, now: number): HomeReply {
  if (task.task === "accept") {
    return { ok: true, configWritten: acceptConfig(task.home), notes: [], lost: [] };
  }
  if (task.task === "revert") {
    return { ok: true, configWritten: revertConfig(task.home), notes: [], lost: [] };
  }
  const notes = noteState(task.home, now);
  const configWritten = writeConfig(configPaths(task.home).config, task.config);
  limitRepeatsOrNote(task.home, notes);
  // Last: whoever hears of no success does not hand over again what was taken away here.
  const lost = lostMessages(task, notes);
  return { ok: true, configWritten, notes, lost };
}

/** Without it a failed turn takes longer; that is no reason not to start. */
function limitRepeatsOrNote(home: string, notes: string[]): void {
  try {
    limitRepeats(home);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    notes.push(`the agent's session settings could not be written: ${message}`.slice(0, 500));
  }
}

/** Without an answer nothing is handed over again. */
function lostMessages({ home, ended }: Prepare, notes: string[]): string[] {
  if (ended === undefined) return [];
  try {
    const lost = releaseLost(home, ended);
    if (lost.length > 0) notes.push(`the gateway lost ${lost.length} messages that it had taken`);
    return lost;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    notes.push(`what the gateway may have lost could not be found: ${message}`.slice(0, 500));
    return [];
  }
}

/** A database that cannot be put right is the gateway's to complain about: it has the real message. */
function noteState(home: string, now: number): string[] {
  try {
    const done = prepareState(home, now);
    if (done === undefined || done.closedBoots + done.releasedLeases === 0) return [];
    return [
      `the gateway's last end was unclean: closed ${done.closedBoots} boot records, ` +
        `released ${done.releasedLeases} leases`,
    ];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [`the gateway's state could not be prepared: ${message}`.slice(0, 500)];
  }
}
