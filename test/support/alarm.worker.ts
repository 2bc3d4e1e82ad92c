/** A Durable Object whose alarm is asked for again at the very moment it came. */
import { DurableObject } from "cloudflare:workers";
import { AlarmClock } from "../../src/worker/agent/alarm-clock.ts";

interface Env {
  ROOM: DurableObjectNamespace<Room>;
}

export class Room extends DurableObject<Env> {
  readonly #alarm = new AlarmClock(this.ctx.storage);
  /** What the alarm was set to that comes next, unless that one asks for itself again. */
  #at: number | undefined;
  #left = 0;
  #rung = 0;

  override async alarm(): Promise<void> {
    this.#rung += 1;
    const at = this.#at;
    this.#at = undefined;
    if (at !== undefined) return this.#alarm.set(at);
    this.#left -= 1;
    if (this.#left > 0) await this.#next();
  }

  /** So many times, each of which rings twice. */
  async ring(times: number): Promise<void> {
    this.#left = times;
    await this.#next();
  }

  /** Half a millisecond is not there yet when the runtime's whole one is. */
  #next(): Promise<void> {
    this.#at = Date.now() + 10.5;
    return this.#alarm.set(this.#at);
  }

  async stop(): Promise<number | null> {
    await this.#alarm.set(Date.now() + 3_600_000);
    await this.#alarm.set(undefined);
    return this.ctx.storage.getAlarm();
  }

  get rung(): number {
    return this.#rung;
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const room = env.ROOM.getByName("room");
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/ring") await room.ring(Number(searchParams.get("times")));
    if (pathname === "/stop") return Response.json({ alarm: await room.stop() });
    return Response.json({ rung: await room.rung });
  },
};
