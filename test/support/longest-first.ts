/**
 * The order of the test files: the long ones first, so that no worker waits at the end while another
 * has minutes left. Where nothing is known vitest goes by the size of a file, which says little here:
 * most of a long one is waiting.
 */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Those that take the longest, in that order; the others follow in vitest's own. */
const LONG = [
  "e2e/telegram",
  "e2e/slack",
  "e2e/telegram-owner",
  "e2e/crashes",
  "e2e/protocol",
  "e2e/browser",
  "e2e/browsing",
  "e2e/admin",
  "e2e/discord",
  "integration/local",
  "integration/backup-system",
  "integration/supervisor",
  "e2e/together",
  "e2e/turn-end",
  "e2e/spend",
  "integration/worker-admin-page",
  "integration/channels",
  "integration/agent",
  "integration/discord-session",
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}

function placeOf({ moduleId }: TestSpecification): number {
  const at = LONG.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
  return at === -1 ? LONG.length : at;
}
