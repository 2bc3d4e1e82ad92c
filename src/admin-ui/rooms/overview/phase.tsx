import { Badge } from "@cloudflare/kumo/components/badge";
import { Button } from "@cloudflare/kumo/components/button";
import { ArrowClockwiseIcon } from "@phosphor-icons/react/dist/csr/ArrowClockwise";
import { CloudArrowUpIcon } from "@phosphor-icons/react/dist/csr/CloudArrowUp";
import { PlayIcon } from "@phosphor-icons/react/dist/csr/Play";
import { StopIcon } from "@phosphor-icons/react/dist/csr/Stop";
import { useState } from "react";
import { ADMIN_API, type AdminStatus } from "../../../protocol/admin.ts";
import { BACKUPS_API } from "../../../protocol/admin-backups.ts";
import { useAct } from "../../parts/act.ts";
import { Card } from "../../parts/card.tsx";
import { Confirm } from "../../parts/confirm.tsx";
import { useNow } from "../../parts/now.ts";
import { formatDuration } from "../../text/format.ts";
import { useSpoken } from "../../text/text.tsx";

const COLOUR = {
  stopped: "neutral",
  starting: "info",
  restoring: "info",
  booting: "info",
  ready: "success",
  draining: "warning",
  failed: "error",
} as const;

export function PhaseCard({ status }: { status: AdminStatus }) {
  const { text, language } = useSpoken();
  const now = useNow();
  return (
    <Card
      title={text.overview.phase}
      aside={
        <p role="status" className="flex flex-wrap items-center gap-2">
          <Badge variant={COLOUR[status.phase]}>{text.phases[status.phase]}</Badge>
          <span className="text-kumo-subtle text-sm" aria-live="off">
            {text.overview.for(formatDuration(wholeSeconds(now - status.since), language))}
          </span>
        </p>
      }
    >
      <div className="flex flex-col gap-4">
        <Buttons phase={status.phase} kept={status.kept} />
        <Timings status={status} now={now} />
      </div>
    </Card>
  );
}

function Buttons({ phase, kept }: Pick<AdminStatus, "phase" | "kept">) {
  const { text } = useSpoken();
  const [asking, setAsking] = useState<"stop" | "restart">();
  const { overview } = text;
  const start = useAct(ADMIN_API.start, ({ pending }) =>
    pending === true ? overview.outcome.pending : overview.outcome.start,
  );
  const stop = useAct(ADMIN_API.stop, ({ pending }) =>
    pending === true ? overview.outcome.pending : overview.outcome.stop,
  );
  const restart = useAct(ADMIN_API.restart, ({ pending }) =>
    pending === true ? overview.outcome.pending : overview.outcome.restart,
  );
  const backUp = useAct(BACKUPS_API.backUpNow, ({ generation }) => overview.backedUp(generation));
  const off = phase === "stopped" || phase === "failed";
  return (
    <div className="flex flex-wrap gap-2">
      <Button
        variant="primary"
        icon={PlayIcon}
        loading={start.busy}
        disabled={!off}
        onClick={() => start()}
      >
        {overview.start}
      </Button>
      <Button
        icon={ArrowClockwiseIcon}
        loading={restart.busy}
        disabled={phase === "draining" || phase === "stopped"}
        onClick={() => setAsking("restart")}
      >
        {overview.restart}
      </Button>
      <Button
        icon={StopIcon}
        loading={stop.busy}
        disabled={phase === "stopped" || phase === "draining"}
        onClick={() => setAsking("stop")}
      >
        {overview.stop}
      </Button>
      {kept ? (
        <Button
          icon={CloudArrowUpIcon}
          loading={backUp.busy}
          disabled={phase !== "ready"}
          onClick={() => backUp()}
        >
          {overview.backUp}
        </Button>
      ) : null}
      <Confirm
        open={asking === "stop"}
        onOpenChange={() => setAsking(undefined)}
        title={overview.stopTitle}
        text={overview.stopText}
        action={overview.stop}
        onConfirm={() => stop()}
      />
      <Confirm
        open={asking === "restart"}
        onOpenChange={() => setAsking(undefined)}
        title={overview.restartTitle}
        text={overview.restartText}
        action={overview.restart}
        onConfirm={() => restart()}
      />
    </div>
  );
}

/** What each step of the latest start took; the one under way counts up. */
function Timings({ status, now }: { status: AdminStatus; now: number }) {
  const { text, language } = useSpoken();
  const running = ["starting", "restoring", "booting"].includes(status.phase);
  const steps = status.timings.map((step) =>
    running && step.phase === status.phase
      ? { ...step, ms: wholeSeconds(now - status.since) }
      : step,
  );
  if (steps.length === 0) return null;
  const total = steps.reduce((sum, { ms }) => sum + ms, 0);
  const longest = Math.max(1, ...steps.map(({ ms }) => ms));
  return (
    <div>
      <h3 className="text-kumo-subtle mb-1 text-sm">
        {text.overview.latestStart(formatDuration(total, language))}
      </h3>
      <ul className="grid grid-cols-[max-content_1fr_max-content] items-center gap-x-3 gap-y-1 text-sm">
        {steps.map(({ phase, ms }) => (
          <li key={phase} className="contents">
            <span>{text.phases[phase]}</span>
            <span aria-hidden className="bg-kumo-recessed block h-2 overflow-hidden rounded-full">
              <span
                className="bg-kumo-brand block h-full rounded-full"
                style={{ width: `${Math.max(1, (ms / longest) * 100)}%` }}
              />
            </span>
            <span className="text-right tabular-nums">{formatDuration(ms, language)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function wholeSeconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000) * 1000);
}
