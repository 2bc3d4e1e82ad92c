/** Archives from elsewhere for one agent, in its Durable Object. */
import { RpcTarget } from "cloudflare:workers";
import type { ImportView } from "../../../protocol/import.ts";
import type { AdminImportCalls } from "../../backups/admin-calls.ts";
import type { Imports, ImportSource } from "../../backups/imports.ts";
import type { Answer } from "../../backups/ledger.ts";
import { noBucket } from "../../backups/no-bucket.ts";
import type { Done, Ended } from "../../done.ts";
import type { Power } from "../power.ts";

export class ImportsRoom extends RpcTarget implements AdminImportCalls {
  readonly #imports: Imports | undefined;
  readonly #power: Pick<Power, "rewritten">;

  /** @param imports undefined when no bucket is bound */
  constructor(imports: Imports | undefined, power: Pick<Power, "rewritten">) {
    super();
    this.#imports = imports;
    this.#power = power;
  }

  async list(): Promise<Answer<ImportView[]>> {
    return this.#imports?.list() ?? noBucket();
  }

  async begin(name: string, bytes: number): Promise<Answer<ImportView>> {
    return this.#imports?.begin(name, bytes) ?? noBucket();
  }

  async part(id: string, n: number, size: number): Promise<Answer<{ key: string }>> {
    return this.#imports?.part(id, n, size) ?? noBucket();
  }

  async stored(id: string, n: number): Promise<Answer<ImportView>> {
    return this.#imports?.stored(id, n) ?? noBucket();
  }

  async source(id: string): Promise<Answer<ImportSource>> {
    return this.#imports?.source(id) ?? noBucket();
  }

  async apply(id: string): Promise<Ended> {
    const imports = this.#imports;
    if (imports === undefined) return doneOf(noBucket());
    // Before anything stops for it; and it is said to wait only when the state before it is kept.
    const ready = await imports.ready(id);
    if (!ready.ok) return doneOf(ready);
    return this.#power.rewritten(async () => doneOf(await imports.apply(id)));
  }

  async drop(id: string): Promise<Done> {
    return doneOf((await this.#imports?.drop(id)) ?? noBucket());
  }
}

function doneOf(answer: Answer<unknown>): Done {
  return answer.ok ? { ok: true } : { ok: false, reason: answer.message };
}
