import { Banner } from "@cloudflare/kumo/components/banner";
import { Button } from "@cloudflare/kumo/components/button";
import { Loader } from "@cloudflare/kumo/components/loader";
import { DevicesIcon } from "@phosphor-icons/react/dist/csr/Devices";
import { WarningCircleIcon } from "@phosphor-icons/react/dist/csr/WarningCircle";
import type { AdminStatus } from "../../../protocol/admin.ts";
import { useDevices, useModels, useSettings, useStatus } from "../../live/queries.ts";
import { Card } from "../../parts/card.tsx";
import { Facts, type Fact } from "../../parts/facts.tsx";
import { useNow } from "../../parts/now.ts";
import { openRoom } from "../../route.ts";
import { formatAgo, formatBytes, formatDuration } from "../../text/format.ts";
import { useSpoken, useText } from "../../text/text.tsx";
import { Emergency } from "./emergency.tsx";
import { FirstSteps } from "./first-steps.tsx";
import { Glance } from "./glance.tsx";
import { PhaseCard } from "./phase.tsx";
import { troubleKind } from "./trouble-kind.ts";

export function OverviewRoom() {
  const text = useText();
  const status = useStatus();
  if (status.data === undefined) return <Loader aria-label={text.loading} />;
  return (
    <>
      <WaitingDevices status={status.data} />
      <PhaseCard status={status.data} />
      <LastError status={status.data} />
      <BackupAlert status={status.data} />
      <FirstSteps status={status.data} />
      <Glance status={status.data} />
      <FactsCard status={status.data} />
      <Emergency />
    </>
  );
}

function WaitingDevices({ status }: { status: AdminStatus }) {
  const text = useText();
  const devices = useDevices(status.phase === "ready");
  const count = devices.data?.pending.length ?? 0;
  if (status.phase !== "ready" || count === 0) return null;
  return (
    <div role="status">
      <Banner
        icon={<DevicesIcon weight="fill" />}
        description={text.overview.waiting(count)}
        action={
          <Button size="sm" variant="primary" onClick={() => openRoom("devices")}>
            {text.overview.toDevices}
          </Button>
        }
      />
    </div>
  );
}

function LastError({ status }: { status: AdminStatus }) {
  const { text, language } = useSpoken();
  const now = useNow();
  if (status.lastError === undefined) return null;
  const failed = status.phase === "failed";
  const wait = status.retryAt === undefined ? 0 : Math.max(0, status.retryAt - now);
  return (
    <div role={failed ? "alert" : undefined}>
      <Banner
        variant={failed ? "error" : "secondary"}
        icon={<WarningCircleIcon weight="fill" />}
        title={text.overview.error}
        description={
          <>
            <span className="block">{text.overview.troubles[troubleKind(status.lastError)]}</span>
            <span className="my-1 block font-mono text-sm wrap-anywhere whitespace-pre-wrap">
              {status.lastError}
            </span>
            {failed && wait > 0 ? (
              <span className="block">
                {text.overview.errorHelp.retry(
                  formatDuration(Math.ceil(wait / 1000) * 1000, language),
                )}
              </span>
            ) : null}
          </>
        }
        action={
          <Button size="sm" onClick={() => openRoom("logs")}>
            {text.overview.errorHelp.logs}
          </Button>
        }
      />
    </div>
  );
}

function BackupAlert({ status }: { status: AdminStatus }) {
  const { text, language } = useSpoken();
  const now = useNow();
  const alert = status.backups?.alert;
  if (alert === undefined) return null;
  return (
    <div role="alert">
      <Banner
        variant="error"
        icon={<WarningCircleIcon weight="fill" />}
        title={text.overview.backupAlert}
        description={
          <span className="wrap-anywhere">
            {`${alert.text} (${formatAgo(alert.at, now, language)})`}
          </span>
        }
        action={
          <Button size="sm" onClick={() => openRoom("backups")}>
            {text.overview.steps.toBackups}
          </Button>
        }
      />
    </div>
  );
}

function FactsCard({ status }: { status: AdminStatus }) {
  const { text, language } = useSpoken();
  const settings = useSettings();
  const models = useModels();
  const { overview } = text;
  const { supervisor } = status;
  const facts: Fact[] = [
    ...(settings.data === undefined
      ? []
      : [{ name: overview.version, value: settings.data.version }]),
    ...(supervisor?.gateway.version === undefined
      ? []
      : [{ name: overview.gateway, value: `OpenClaw ${supervisor.gateway.version}` }]),
    ...(models.data === undefined
      ? []
      : [
          {
            name: text.settings.model,
            value: models.data.routing.primary ?? models.data.configured,
          },
        ]),
    {
      name: overview.sleep,
      value:
        status.sleepAfter === "never"
          ? overview.never
          : formatDuration(status.sleepAfter, language),
    },
    { name: overview.starts, value: String(status.startGeneration) },
    ...(supervisor === undefined
      ? []
      : [
          { name: overview.uptime, value: formatDuration(supervisor.uptimeMs, language) },
          {
            name: overview.memory,
            value: overview.memoryOf(
              formatBytes(supervisor.memory.gateway ?? 0, language),
              formatBytes(supervisor.memory.supervisor, language),
            ),
          },
          { name: overview.connections, value: String(supervisor.connections) },
          ...(supervisor.busy === undefined
            ? []
            : [{ name: overview.busy, value: supervisor.busy ? overview.yes : overview.no }]),
          { name: overview.isolation, value: overview.isolations[supervisor.isolation] },
        ]),
  ];
  return (
    <Card title={overview.facts}>
      <Facts facts={facts} />
    </Card>
  );
}
