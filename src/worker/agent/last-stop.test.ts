import { expect, it } from "vitest";
import type { SupervisorStatus } from "../../protocol/control.ts";
import type { Reply } from "./control.ts";
import { stopSandbox } from "./last-stop.ts";

type Backups = NonNullable<SupervisorStatus["backups"]>;

const KEPT: Backups = { state: "watching", generation: 7, failures: 0, unkept: [] };
const lastError = { at: 1, message: "store: no answer" };

function told(backups?: Backups): Reply<SupervisorStatus | undefined> {
  return { ok: true, value: { ...STATUS, ...(backups === undefined ? {} : { backups }) } };
}

const STATUS: SupervisorStatus = {
  ...{ protocol: 1, agentId: "main", startGeneration: 1, isolation: "setuid" },
  gateway: { state: "stopped", restarts: 0 },
  ...{ memory: { supervisor: 1 }, uptimeMs: 1, connections: 0 },
};

function stop(answer: Reply<SupervisorStatus | undefined>, booted = true) {
  const control = { stop: () => Promise.resolve(answer) };
  return stopSandbox({ control, note: () => {}, seen: () => {} }, booted);
}

it.each<[string, Reply<SupervisorStatus | undefined>]>([
  ["that tells of a last backup", told(KEPT)],
  ["of an agent of which nothing is kept", told()],
  [
    "after a restore that failed, when no gateway ran",
    told({ ...KEPT, state: "failed", lastError }),
  ],
])("the state is kept by an answer %s", async (_name, answer) => {
  expect(await stop(answer)).toBeUndefined();
});

it.each<[string, Reply<SupervisorStatus | undefined>, string]>([
  ["that tells of a failed backup", told({ ...KEPT, lastError }), lastError.message],
  ["that did not come", { ok: false, reason: "no answer" }, "no answer"],
  ["that nobody understands", { ok: true, value: undefined }, "is not understood"],
])(
  "the state of a booted sandbox is not known to be kept by an answer %s",
  async (_n, answer, why) => {
    expect(await stop(answer)).toContain(why);
  },
);

it("a sandbox that was never booted has no state to keep", async () => {
  expect(await stop({ ok: false, reason: "no answer" }, false)).toBeUndefined();
  expect(await stop({ ok: true, value: undefined }, false)).toBeUndefined();
});
