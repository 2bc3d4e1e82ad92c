/**
 * Packs that a sandbox reads. Fails closed: only while a restore or a drill is open, and only what a
 * generation needs.
 */
import type { PackId } from "../../protocol/backup.ts";
import type { Place } from "./calls.ts";
import { generationOf, packKey } from "./keys.ts";
import { refuse, type Answer } from "./ledger.ts";
import type { GenerationEntry } from "./manifest.ts";
import { recall } from "./memory.ts";
import type { BackupsRoom } from "./room.ts";

export async function placeToRead(
  { agentId, notebook, ledger }: BackupsRoom,
  pack: PackId,
): Promise<Answer<Place>> {
  const { open } = recall(notebook);
  if (open === undefined) {
    return refuse("closed", "packs are readable only while a restore or a drill is open");
  }
  const current = await ledger.read(false);
  if (!current.ok) return current;
  const needs = (entry: GenerationEntry) => entry.needs.includes(pack);
  const key = packKey(agentId, pack);
  // Asked for each pack of a restore, which mostly is one of the newest.
  const { recent } = current.value;
  if (recent.some(needs)) {
    return { ok: true, value: { key, ...recipientOf(pack, recent) } };
  }
  const all = await ledger.entries(current.value);
  if (!all.ok) return all;
  if (!all.value.some(needs)) {
    // Of a drill it is no damage: what it tries may have left the list meanwhile.
    return refuse(open === "drill" ? "closed" : "missing", `no generation needs pack ${pack}`);
  }
  return { ok: true, value: { key, ...recipientOf(pack, all.value) } };
}

/**
 * The generation that brought the pack says it. Where that one is not among them, those that need the pack
 * do, when they agree.
 */
function recipientOf(pack: PackId, entries: readonly GenerationEntry[]): Pick<Place, "recipient"> {
  const own = entries.find(({ n }) => n === generationOf(pack));
  const telling = own === undefined ? entries.filter((one) => one.needs.includes(pack)) : [own];
  const [recipient, ...others] = new Set(telling.map((one) => one.recipient));
  return recipient === undefined || others.length > 0 ? {} : { recipient };
}
