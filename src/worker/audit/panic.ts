/**
 * Whether everything is held shut. Fails closed: what is stored and cannot be read counts as held.
 */
import * as z from "zod";
import type { Settings } from "./sessions.ts";

const PANIC = "panic";
const stored = z.object({ at: z.number(), by: z.string() });

export type Held = z.infer<typeof stored>;

export class Panic {
  readonly #settings: Settings;
  #held: Held | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#held = read(settings.setting(PANIC));
  }

  get held(): Held | undefined {
    return this.#held;
  }

  hold(held: Held): void {
    this.#held = held;
    this.#settings.setSetting(PANIC, JSON.stringify(held));
  }

  release(): void {
    this.#held = undefined;
    this.#settings.setSetting(PANIC, undefined);
  }
}

function read(text: string | undefined): Held | undefined {
  if (text === undefined) return undefined;
  try {
    const held = stored.safeParse(JSON.parse(text));
    if (held.success) return held.data;
  } catch {
    // Not JSON: held, by somebody unknown.
  }
  return { at: 0, by: "" };
}
