/** The generations as people are told of them. */
import { withPaths } from "./changed-paths.ts";
import type { Answer } from "./ledger.ts";
import type { GenerationEntry } from "./manifest.ts";
import { damageIn } from "./plans.ts";
import type { BackupsRoom } from "./room.ts";

/** Every generation there is, newest first, with what is known of its damage, also of that in a pack it needs. */
export async function listed({
  keys,
  ledger,
  notebook,
}: BackupsRoom): Promise<Answer<GenerationEntry[]>> {
  const current = await ledger.read(false);
  if (!current.ok) return current;
  const all = await ledger.entries(current.value);
  if (!all.ok) return all;
  const damageOf = damageIn(notebook);
  const present = await keys();
  const told = all.value.toReversed().map(async (entry) => {
    const damaged = damageOf(entry);
    const withDamage = damaged === undefined ? entry : { ...entry, damaged };
    return withPaths(present, withDamage);
  });
  return { ok: true, value: await Promise.all(told) };
}
