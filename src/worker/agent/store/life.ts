import type { Phase, PhaseTiming } from "../../../protocol/phase.ts";
import { isStarting, type Life } from "../lifecycle.ts";
import type { Sql } from "./schema.ts";

/** Starts that say how long the next one will take. */
const LATEST_STARTS = 5;
/** Starts whose timings are kept. */
const TIMED_STARTS = 20;

interface LifeRow extends Record<string, string | number | null> {
  phase: Phase;
  since: number;
  start_generation: number;
  failures: number;
  last_error: string | null;
  retry_at: number | null;
  gateway_token: string;
  control_token: string | null;
  last_activity: number;
}

export interface StoredLife {
  life: Life;
  /** The gateway's own token inside the sandbox: stable, worthless at the edge. */
  gatewayToken: string;
  /** Opens the control port of the present start; absent before the first one. */
  controlToken?: string;
  lastActivity: number;
}

export class LifeStore {
  readonly #sql: Sql;
  readonly #agentId: string;

  constructor(sql: Sql, agentId: string) {
    this.#sql = sql;
    this.#agentId = agentId;
  }

  /** The stored life; a stopped one with a new gateway token the first time. */
  read(now: number, newToken: () => string): StoredLife {
    const found = this.#sql
      .exec<LifeRow>("SELECT * FROM agent_life WHERE agent_id = ?", this.#agentId)
      .toArray()[0];
    if (found !== undefined) return fromRow(found);
    const gatewayToken = newToken();
    const life: Life = { phase: "stopped", since: now, startGeneration: 0, failures: 0 };
    this.#sql.exec(
      `INSERT INTO agent_life
         (agent_id, phase, since, start_generation, failures, gateway_token, last_activity)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      this.#agentId,
      life.phase,
      life.since,
      life.startGeneration,
      life.failures,
      gatewayToken,
      now,
    );
    return { life, gatewayToken, lastActivity: now };
  }

  /** Stores a move from one phase to another, with how long the left phase took. */
  move(from: Life, to: Life): void {
    if (isStarting(from.phase) && from.phase !== to.phase) this.#time(from, to.since - from.since);
    this.#sql.exec(
      `UPDATE agent_life SET phase = ?, since = ?, start_generation = ?, failures = ?,
         last_error = ?, retry_at = ? WHERE agent_id = ?`,
      to.phase,
      to.since,
      to.startGeneration,
      to.failures,
      to.lastError ?? null,
      to.retryAt ?? null,
      this.#agentId,
    );
  }

  setControlToken(token: string): void {
    this.#sql.exec(
      "UPDATE agent_life SET control_token = ? WHERE agent_id = ?",
      token,
      this.#agentId,
    );
  }

  setLastActivity(at: number): void {
    this.#sql.exec("UPDATE agent_life SET last_activity = ? WHERE agent_id = ?", at, this.#agentId);
  }

  timings(startGeneration: number): PhaseTiming[] {
    return this.#sql
      .exec<{ phase: Phase; ms: number }>(
        `SELECT phase, ms FROM agent_phase_timings
         WHERE agent_id = ? AND start_generation = ? ORDER BY position`,
        this.#agentId,
        startGeneration,
      )
      .toArray();
  }

  /** What the slowest of the latest starts took, in milliseconds; undefined before the first. */
  slowestStart(): number | undefined {
    const row = this.#sql
      .exec<{ slowest: number | null }>(
        `SELECT MAX(total) AS slowest FROM (
           SELECT SUM(ms) AS total FROM agent_phase_timings
           WHERE agent_id = ? AND phase IN ('starting', 'restoring', 'booting')
           GROUP BY start_generation ORDER BY start_generation DESC LIMIT ?)`,
        this.#agentId,
        LATEST_STARTS,
      )
      .toArray()[0];
    return row?.slowest ?? undefined;
  }

  #time(left: Life, ms: number): void {
    this.#sql.exec(
      `INSERT INTO agent_phase_timings (agent_id, start_generation, position, phase, ms)
       SELECT ?1, ?2, COUNT(*), ?3, ?4 FROM agent_phase_timings
       WHERE agent_id = ?1 AND start_generation = ?2`,
      this.#agentId,
      left.startGeneration,
      left.phase,
      ms,
    );
    this.#sql.exec(
      "DELETE FROM agent_phase_timings WHERE agent_id = ? AND start_generation <= ?",
      this.#agentId,
      left.startGeneration - TIMED_STARTS,
    );
  }
}

function fromRow(row: LifeRow): StoredLife {
  return {
    life: {
      phase: row.phase,
      since: row.since,
      startGeneration: row.start_generation,
      failures: row.failures,
      ...(row.last_error === null ? {} : { lastError: row.last_error }),
      ...(row.retry_at === null ? {} : { retryAt: row.retry_at }),
    },
    gatewayToken: row.gateway_token,
    ...(row.control_token === null ? {} : { controlToken: row.control_token }),
    lastActivity: row.last_activity,
  };
}
