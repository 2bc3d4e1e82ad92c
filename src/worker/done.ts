/** How something went that answers with nothing else. */
export type Done = { ok: true } | { ok: false; reason: string };
