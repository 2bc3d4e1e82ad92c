import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { addRows, put } from "../../../test/support/backup-state.ts";
import { Scanner } from "./scan.ts";

it("copies the gateway's queue before its conversations", async () => {
  const home = mkdtempSync(join(tmpdir(), "scan-"));
  try {
    const state = join(home, ".openclaw");
    put(state, "agents/main/agent/notes.md", "x");
    put(state, "state/other.txt", "x");
    addRows(join(state, "agents/main/agent/openclaw-agent.sqlite"), "said");
    addRows(join(state, "state/openclaw.sqlite"), "queued");
    const order: string[] = [];
    const scanner = new Scanner(home, join(home, ".moltworker/scratch"));
    const found = await scanner.scan(
      new Map(),
      new Map(),
      async ({ path }) => void order.push(path),
      () => undefined,
    );
    expect(order[0]).toBe(".openclaw/state/openclaw.sqlite");
    expect(order.toSorted()).toEqual(found.files.map(({ path }) => path).toSorted());
    expect(order).toHaveLength(4);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
