/**
 * What is kept of the session with Discord, so that a Durable Object that begins anew resumes it: its id and
 * address, the last sequence number that was taken, whether something may have been missed, and what only a
 * person can mend. Another bot, or another token, is another session.
 */
import * as z from "zod";
import type { ChannelHost } from "../channel.ts";
import type { DiscordSettings } from "./settings.ts";

const stored = z.object({ id: z.string(), url: z.string() });
const fatalNote = z.object({ at: z.number(), message: z.string() });

/** What only a person can mend is looked at again this seldom. */
export const FATAL_MS = 15 * 60_000;

export class SessionNotes {
  readonly #host: ChannelHost;
  #seq: number | undefined;
  #seqKept: number | undefined;

  constructor(host: ChannelHost, { botId, apiUrl, token }: DiscordSettings) {
    this.#host = host;
    // Which token, without a word of it.
    const bot = `${botId} ${apiUrl} ${checksum(token)}`;
    if (host.read("bot") !== bot) {
      for (const name of ["session", "seq", "missed", "gaps", "fatal"]) host.write(name, undefined);
      host.write("bot", bot);
    }
    const seq = host.read("seq");
    this.#seq = seq === undefined ? undefined : Number(seq);
    this.#seqKept = this.#seq;
  }

  get session(): { id: string; url: string } | undefined {
    return stored.safeParse(parseJson(this.#host.read("session"))).data;
  }

  begun(id: string, url: string): void {
    this.#host.write("session", JSON.stringify({ id, url }));
  }

  /** There is none to resume any more: what comes until the next one is missed. */
  forget(): void {
    if (this.#host.read("session") !== undefined) this.#host.write("missed", "1");
    this.#host.write("session", undefined);
    this.#host.write("seq", undefined);
    this.#seq = undefined;
    this.#seqKept = undefined;
  }

  /** Of the last message that was taken; kept by `keepSeq`. */
  get seq(): number | undefined {
    return this.#seq;
  }

  set seq(seq: number) {
    this.#seq = seq;
  }

  keepSeq(): void {
    if (this.#seq === undefined || this.#seq === this.#seqKept) return;
    this.#host.write("seq", String(this.#seq));
    this.#seqKept = this.#seq;
  }

  /** Whether something may have been missed; whoever asks sees to it. */
  takeMissed(): boolean {
    const missed = this.#host.read("missed") !== undefined;
    this.#host.write("missed", undefined);
    return missed;
  }

  /** Not older than a quarter of an hour. */
  get fatal(): { at: number; message: string } | undefined {
    const { data } = fatalNote.safeParse(parseJson(this.#host.read("fatal")));
    return data !== undefined && this.#host.now() - data.at < FATAL_MS ? data : undefined;
  }

  set fatal(fatal: { at: number; message: string } | undefined) {
    this.#host.write("fatal", fatal === undefined ? undefined : JSON.stringify(fatal));
  }
}

/** FNV-1a; says that a token changed and nothing about it. */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return (hash >>> 0).toString(16);
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
