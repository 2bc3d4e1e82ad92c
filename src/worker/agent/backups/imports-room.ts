/** Archives from elsewhere for one agent, in its Durable Object. */
import { RpcTarget } from "cloudflare:workers";
import type { ImportView } from "../../../protocol/import.ts";
import type { AdminImportCalls } from "../../backups/admin-calls.ts";
import type { Imports, ImportSource } from "../../backups/imports.ts";
import type { Answer } from "../../backups/ledger.ts";
import { noBucket } from "../../backups/no-bucket.ts";
import type { Done, Ended } from "../../done.ts";
import type { Power } from "../power.ts";
import type { AgentBackups } from "./agent-backups.ts";

export class ImportsRoom extends RpcTarget implements AdminImportCalls {
  readonly #backups: Pick<AgentBackups, "imports" | "lookAtImports">;
  readonly #power: Pick<Power, "rewritten">;

  constructor(
    backups: Pick<AgentBackups, "imports" | "lookAtImports">,
    power: Pick<Power, "rewritten">,
  ) {
    super();
    this.#backups = backups;
    this.#power = power;
  }

  /** Undefined when no bucket is bound. */
  get #imports(): Imports | undefined {
    return this.#backups.imports;
  }

  async list(): Promise<Answer<ImportView[]>> {
    return this.#imports?.list() ?? noBucket();
  }

  async begin(name: string, bytes: number): Promise<Answer<ImportView>> {
    const begun = (await this.#imports?.begin(name, bytes)) ?? noBucket();
    // It takes the place of the one before.
    await this.#backups.lookAtImports();
    return begun;
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
    // Before anything stops for it.
    const ready = await imports.ready(id);
    if (!ready.ok) return doneOf(ready);
    // It is said to wait only when the state before it is kept.
    const applied = await this.#power.rewritten(
      async () => {
        const noted = await imports.apply(id);
        await this.#backups.lookAtImports();
        return doneOf(noted);
      },
      async () => doneOf(await imports.ready(id)),
    );
    const problem = applied.ok ? await this.#problemOf(id) : undefined;
    if (problem === undefined) return applied;
    return { ...applied, ok: false, reason: `The archive was not taken in: ${problem}` };
  }

  async drop(id: string): Promise<Done> {
    const dropped = doneOf((await this.#imports?.drop(id)) ?? noBucket());
    await this.#backups.lookAtImports();
    return dropped;
  }

  /** Why the start that followed did not take it in, if it did not. */
  async #problemOf(id: string): Promise<string | undefined> {
    const listed = await this.list();
    const view = listed.ok ? listed.value.find((one) => one.id === id) : undefined;
    return view?.state === "refused" ? (view.problem ?? "no reason given") : undefined;
  }
}

function doneOf(answer: Answer<unknown>): Done {
  return answer.ok ? { ok: true } : { ok: false, reason: answer.message };
}
