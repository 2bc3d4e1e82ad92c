/**
 * Who is let in, and the ways to shut everything, in the Durable Object of one agent. Fails closed:
 * a session that was ended does not count, and what panic holds stays held until an admin says.
 */
import { RpcTarget } from "cloudflare:workers";
import type { AdminSecurity } from "../../protocol/admin-security.ts";
import type { AppsRoom } from "../apps/room.ts";
import type { Done } from "../done.ts";
import { type Asker, entryOf, type SecurityCalls, type SessionNote } from "./calls.ts";
import type { Panic } from "./panic.ts";
import type { AuditRoom } from "./room.ts";
import type { Sessions } from "./sessions.ts";

export interface SecurityParts {
  sessions: Sessions;
  panic: Panic;
  audit: AuditRoom;
  apps: AppsRoom;
  /** Ends what follows the agent by a session or a credential. */
  endGuests(): void;
  /** Ends every open socket of the gateway. */
  disconnectAll(): Promise<Done>;
  /** Stops the agent without asking it first, and destroys whatever sandbox there is. */
  destroy(): Promise<Done>;
  /** Pages that follow are told. */
  changed(): void;
  /** Nothing holds the agent any more: what waits is seen to. */
  released(): void;
}

export class SecurityRoom extends RpcTarget implements SecurityCalls {
  readonly #parts: SecurityParts;

  constructor(parts: SecurityParts) {
    super();
    this.#parts = parts;
  }

  /**
   * @param issuedAt of the session that asks
   * @param app whose credential it was instead
   */
  admits(issuedAt: number | undefined, app: string | undefined): boolean {
    return this.#parts.sessions.admits(issuedAt) && this.#parts.apps.admits(app);
  }

  async overview(): Promise<AdminSecurity> {
    const { held } = this.#parts.panic;
    const sessions = this.#parts.sessions.list(Date.now());
    return { sessions, ...(held === undefined ? {} : { panic: held }) };
  }

  async noteSession(session: SessionNote): Promise<void> {
    this.#parts.sessions.note(session, Date.now());
    const { from, browser } = session;
    this.#parts.audit.note({ kind: "sign-in", who: "", from, detail: browser, times: 1 });
  }

  /** Sockets that are open already end as well: they were let in by a session. */
  async endSessions(asker: Asker): Promise<Done> {
    this.#parts.audit.note(entryOf("sessions-ended", asker));
    this.#shutOut();
    return this.#parts.disconnectAll();
  }

  /** Held first: whatever happens to the rest, nothing starts again and no session counts. */
  async panic(asker: Asker): Promise<Done> {
    this.#parts.panic.hold({ at: Date.now(), by: asker.by });
    this.#parts.audit.note(entryOf("panic", asker));
    this.#shutOut();
    return this.#parts.destroy();
  }

  async panicOver(asker: Asker): Promise<Done> {
    this.#parts.audit.note(entryOf("panic-over", asker));
    this.#parts.panic.release();
    this.#parts.changed();
    this.#parts.released();
    return { ok: true };
  }

  #shutOut(): void {
    const { sessions, apps, endGuests, changed } = this.#parts;
    sessions.endAll(Date.now());
    apps.removeAll();
    endGuests();
    changed();
  }
}
