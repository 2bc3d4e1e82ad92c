import type { Question, Reply, Usage } from "./conversation.ts";

/** One event of a stream, as text. */
export interface StreamEvent {
  text: string;
  /** The next one follows after the time of a word. */
  pause: boolean;
}

export type Read = { ok: true; question: Question } | { ok: false; problem: string };

export interface Rendering {
  reply: Reply;
  model: string;
  usage: Usage;
  /** Unique within the conversation; ids are made of it. */
  id: string;
  /** Seconds since the epoch. */
  created: number;
}

/** One provider's request and response format. */
export interface WireFormat {
  /** Ends of the paths at which it is spoken. */
  path: RegExp;
  read(body: unknown): Read;
  whole(rendering: Rendering): object;
  stream(rendering: Rendering): StreamEvent[];
  error(status: number, message: string): object;
}
