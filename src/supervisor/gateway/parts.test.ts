import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { freePort } from "../../local/free-port.ts";
import type { DeliverRequest } from "../../protocol/control.ts";
import type { Isolation } from "../isolation/isolation.ts";
import { createLog } from "../log.ts";
import { createLogRing } from "../log-ring.ts";
import { createRedactor } from "../redact.ts";
import { createOperator } from "../operator/operator.ts";
import { parseSettings } from "../settings.ts";
import { gatewayRunnerParts } from "./parts.ts";

const request: DeliverRequest = { listener: "telegram", path: "/", headers: {}, body: "{}" };

const isolation: Isolation = {
  ...{ kind: "none", tmpDir: "/tmp" },
  ...{ prepare: () => undefined, give: () => undefined, killAll: () => Promise.resolve() },
  spawn: () => Promise.reject(new Error("no program")),
};

it("holds what the gateway lost from the moment it is known, however long the next one takes to be ready", async () => {
  const runDir = mkdtempSync(join(tmpdir(), "gateway-parts-"));
  try {
    mkdirSync(join(runDir, "agent"));
    const parsed = parseSettings({
      MOLTWORKER_RUN_DIR: runDir,
      MOLTWORKER_GATEWAY_PORT: String(await freePort()),
    });
    if (!parsed.ok) throw new Error(parsed.problems.join());
    const ring = createLogRing({ redactor: createRedactor(), now: Date.now });
    const operator = createOperator({
      ...{ port: parsed.settings.gatewayPort, token: "", onEvent: () => undefined },
      onLost: () => undefined,
    });
    let known = [request];
    const lost = vi.fn<(requests: DeliverRequest[]) => void>();
    const parts = gatewayRunnerParts({
      document: {
        ...{ protocol: 1, agentId: "main", startGeneration: 1, gatewayConfig: "{}" },
        ...{ controlToken: "c".repeat(32), gatewayToken: "g".repeat(32) },
        ...{ approvedDevices: [], gatewayDeadlineMs: 1_000 },
      },
      ...{ settings: parsed.settings, env: {}, program: { node: "node", bundle: "x.mjs" } },
      ...{ isolation, operator, ring, log: createLog(ring) },
      homeWorker: Promise.resolve({
        perform: () => Promise.resolve({ ok: true, configWritten: false, notes: [], lost: ["5"] }),
        end: () => undefined,
      }),
      ...{ onChange: () => undefined, taken: () => [], ended: () => undefined, lost },
      handedOver: (eventIds) => (eventIds.includes("5") ? known : []),
    });
    expect(await parts.prepare()).toEqual({ ok: true });
    known = [];
    await parts.onReady();
    expect(lost).toHaveBeenCalledWith([request]);
  } finally {
    rmSync(runDir, { recursive: true, force: true });
  }
});
