/** Generations that were asked for and may be in although no answer said so. */
import type { Base, Unsure } from "./generation.ts";
import type { Asked } from "./home.ts";
import type { HostClient } from "./host-client.ts";

const MOST = 3;
/** Answers after which nothing of this sandbox can be the newest. */
const OVER: ReadonlySet<string> = new Set(["stale", "unauthorised"]);

export class Unanswered {
  /** Oldest first. */
  #commits: Unsure[] = [];

  add(commit: Unsure): void {
    this.#commits = [...this.#commits, commit].slice(-MOST);
  }

  clear(): void {
    this.#commits = [];
  }

  asked(): Asked[] {
    return this.#commits.map(({ list, listSha256 }) => ({
      generation: list.generation,
      listSha256,
    }));
  }

  /**
   * The newest generation when it is one of these: what follows builds on that, and the sandbox is
   * not taken for one that a newer has replaced. Throws when that cannot be found out now: it is
   * asked again with the next attempt.
   */
  async landed(host: HostClient): Promise<Base | undefined> {
    if (this.#commits.length === 0) return undefined;
    const plan = await host.plan();
    if (!plan.ok && !OVER.has(plan.reason)) {
      throw new Error(`which generation is the newest is not known: ${plan.message}`);
    }
    if (!plan.ok || plan.value.outcome !== "restore") return undefined;
    const { generation, listSha256 } = plan.value;
    const found = this.#commits.find((one) => one.listSha256 === listSha256);
    this.clear();
    return found === undefined ? undefined : { generation, list: found.list };
  }
}
