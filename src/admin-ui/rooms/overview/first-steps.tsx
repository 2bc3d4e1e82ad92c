import { Button } from "@cloudflare/kumo/components/button";
import { CheckCircleIcon } from "@phosphor-icons/react/dist/csr/CheckCircle";
import { CircleIcon } from "@phosphor-icons/react/dist/csr/Circle";
import type { ReactNode } from "react";
import { ADMIN_API, type AdminStatus } from "../../../protocol/admin.ts";
import { useBackups, useDevices, useModels } from "../../live/queries.ts";
import { useAct } from "../../parts/act.ts";
import { Card } from "../../parts/card.tsx";
import { KeyChecks } from "../../parts/key-check.tsx";
import { ownProviders } from "../../parts/own-providers.ts";
import { openRoom } from "../../route.ts";
import { useText } from "../../text/text.tsx";

interface Step {
  name: string;
  help: string;
  done: boolean;
  /** What a person can do about it from here. */
  way?: ReactNode;
}

/** What is still missing before a person can rely on the agent; gone when nothing is. */
export function FirstSteps({ status }: { status: AdminStatus }) {
  const text = useText();
  const { steps, firstRun, firstRunAbout } = text.overview;
  const models = useModels();
  const backups = useBackups(status.kept);
  const devices = useDevices(status.phase === "ready");
  const start = useAct(ADMIN_API.start, text.overview.outcome.start);
  if (models.data === undefined) return null;
  if (status.kept && backups.data === undefined && backups.error === null) return null;
  if (status.phase === "ready" && devices.data === undefined) return null;
  const ready = ownProviders(models.data);
  const list: Step[] = [
    {
      name: steps.provider,
      help: ready.length > 0 ? steps.providerCheck : steps.providerHelp,
      done: ready.length > 0,
      way: <KeyChecks providers={ready} />,
    },
    {
      name: steps.kit,
      help: status.kept ? steps.kitHelp : steps.bucketHelp,
      done: backups.data?.recoveryKitAt !== undefined,
      way: (
        <Button size="sm" onClick={() => openRoom("backups")}>
          {steps.toBackups}
        </Button>
      ),
    },
    {
      name: steps.started,
      help: steps.startedHelp,
      done: status.startGeneration > 0,
      way: (
        <Button size="sm" loading={start.busy} onClick={() => start()}>
          {text.overview.start}
        </Button>
      ),
    },
    {
      name: steps.device,
      help: steps.deviceHelp,
      // Known only while the agent runs; an agent that started before is not a first run.
      done:
        devices.data === undefined ? status.startGeneration > 0 : devices.data.paired.length > 0,
      way: (
        <Button size="sm" onClick={() => openRoom("devices")}>
          {text.overview.toDevices}
        </Button>
      ),
    },
  ];
  if (list.every(({ done }) => done)) return null;
  const open = list.filter(({ done }) => !done).length;
  return (
    <Card
      title={firstRun}
      aside={<span className="text-kumo-subtle text-sm">{steps.left(open, list.length)}</span>}
    >
      <p className="text-kumo-subtle mb-4">{firstRunAbout}</p>
      <ol className="flex flex-col gap-4">
        {list.map((step) => (
          <StepRow key={step.name} step={step} />
        ))}
      </ol>
    </Card>
  );
}

function StepRow({ step: { name, help, done, way } }: { step: Step }) {
  const { steps } = useText().overview;
  return (
    <li className="flex gap-2">
      <span aria-hidden className={done ? "text-kumo-success" : "text-kumo-subtle"}>
        {done ? <CheckCircleIcon size={20} weight="fill" /> : <CircleIcon size={20} />}
      </span>
      <div className="flex min-w-0 flex-col items-start gap-2">
        <p>
          <span className="font-medium">{name}</span>{" "}
          <span className="text-kumo-subtle">({done ? steps.done : steps.open})</span>
          {done && name !== steps.provider ? null : (
            <span className="text-kumo-subtle block wrap-anywhere">{help}</span>
          )}
        </p>
        {done && name !== steps.provider ? null : way}
      </div>
    </li>
  );
}
