/**
 * How much of the inbox is taken by what the agent is not woken for: posts of nobody in particular,
 * reactions, and what people send who were not let in. They may fill a part of it and a part of that
 * for each chat, so that somebody who was let in always finds room.
 */
import type { Sql } from "../../agent/store/schema.ts";
import type { Arrival } from "../channel.ts";
import { MAX_LETTERS } from "./letters.ts";

const MAX_CROWD = MAX_LETTERS / 5;
const MAX_CHAT = 100;

/** Whose part is used up: that of the one chat, or that of all of them. */
export type Crowded = "chat" | "all";

export class Crowd {
  readonly #sql: Sql;
  readonly #agentId: string;

  constructor(sql: Sql, agentId: string) {
    this.#sql = sql;
    this.#agentId = agentId;
  }

  /** Undefined when another one of that chat may be kept. */
  full({ channel, chat }: Pick<Arrival, "channel" | "chat">): Crowded | undefined {
    const found = this.#sql
      .exec<{ total: number; own: number | null }>(
        `SELECT COUNT(*) AS total, SUM(channel = ?2 AND chat IS ?3) AS own
         FROM channel_letters WHERE agent_id = ?1 AND wakes = 0`,
        this.#agentId,
        channel,
        chat ?? null,
      )
      .toArray()[0];
    if ((found?.total ?? 0) >= MAX_CROWD) return "all";
    return (found?.own ?? 0) >= MAX_CHAT ? "chat" : undefined;
  }
}
