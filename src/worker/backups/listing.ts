/** The generations as people are told of them. */
import type { Answer } from "./ledger.ts";
import type { GenerationEntry } from "./manifest.ts";
import { damageIn } from "./plans.ts";
import type { BackupsRoom } from "./room.ts";

/** Every generation there is, newest first, with what is known of its damage, also of that in a pack it needs. */
export async function listed({
  ledger,
  notebook,
}: BackupsRoom): Promise<Answer<GenerationEntry[]>> {
  const current = await ledger.read(false);
  if (!current.ok) return current;
  const all = await ledger.entries(current.value);
  if (!all.ok) return all;
  const damageOf = damageIn(notebook);
  const told: GenerationEntry[] = [];
  for (const entry of all.value.toReversed()) {
    const damaged = damageOf(entry);
    told.push(damaged === undefined ? entry : { ...entry, damaged });
  }
  return { ok: true, value: told };
}
