import type { PackId } from "../../protocol/backup.ts";

/** Names in the bucket. `docs/storage.md` shows them to people who restore by hand. */
const root = (agentId: string) => `agents/${agentId}/backups/`;

export const manifestKey = (agentId: string) => `${root(agentId)}manifest.json`;
export const packsPrefix = (agentId: string) => `${root(agentId)}packs/`;
export const pagePrefix = (agentId: string) => `${root(agentId)}index/`;

export const pageKey = (agentId: string, from: number, to: number, unique: string) =>
  `${pagePrefix(agentId)}${padded(from)}-${padded(to)}-${unique}.json`;

export const importsPrefix = (agentId: string) => `agents/${agentId}/imports/`;

export const importPartKey = (agentId: string, id: string, part: number) =>
  `${importsPrefix(agentId)}${id}/${String(part).padStart(4, "0")}.part`;

/** One name whether encrypted or not: the manifest says which, and so do the first bytes. */
export function packKey(agentId: string, pack: PackId): string {
  const [generation = "", index = ""] = pack.split(".");
  return `${packsPrefix(agentId)}${padded(Number(generation))}/${index.padStart(4, "0")}.pack`;
}

export function packOfKey(agentId: string, key: string): PackId | undefined {
  const [, generation, index] =
    /^(\d{10})\/(\d{4})\.pack$/.exec(key.slice(packsPrefix(agentId).length)) ?? [];
  if (generation === undefined || index === undefined) return undefined;
  return `${Number(generation)}.${Number(index)}`;
}

export function generationOf(pack: PackId): number {
  return Number(pack.split(".")[0]);
}

function padded(number: number): string {
  return String(number).padStart(10, "0");
}
