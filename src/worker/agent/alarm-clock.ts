/**
 * The Durable Object's one alarm (https://developers.cloudflare.com/durable-objects/api/alarms/), in
 * the whole milliseconds that the runtime keeps.
 *
 * workerd drops an alarm that its own handler sets to the very millisecond it was called for, without
 * a word. What is due by now is therefore set to the next one.
 */
export class AlarmClock {
  readonly #storage: Pick<DurableObjectStorage, "setAlarm" | "deleteAlarm">;

  constructor(storage: Pick<DurableObjectStorage, "setAlarm" | "deleteAlarm">) {
    this.#storage = storage;
  }

  /** @param at milliseconds since the epoch; undefined for never */
  async set(at: number | undefined): Promise<void> {
    if (at === undefined) return this.#storage.deleteAlarm();
    await this.#storage.setAlarm(Math.max(Math.ceil(at), Date.now() + 1));
  }
}
