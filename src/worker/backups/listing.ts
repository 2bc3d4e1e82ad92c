/** The generations as people are told of them. */
import { withPaths } from "./changed-paths.ts";
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

/** The same with the names of what changed, for people: opening them takes its time. */
export async function shown(room: BackupsRoom): Promise<Answer<GenerationEntry[]>> {
  const all = await listed(room);
  if (!all.ok) return all;
  const keys = await room.keys();
  const told = all.value.map((entry) => withPaths(keys, entry));
  return { ok: true, value: await Promise.all(told) };
}
