import { Badge } from "@cloudflare/kumo/components/badge";
import { Banner } from "@cloudflare/kumo/components/banner";
import { Button } from "@cloudflare/kumo/components/button";
import { CloudArrowUpIcon } from "@phosphor-icons/react/dist/csr/CloudArrowUp";
import { ShieldCheckIcon } from "@phosphor-icons/react/dist/csr/ShieldCheck";
import { WarningCircleIcon } from "@phosphor-icons/react/dist/csr/WarningCircle";
import type { AdminStatus } from "../../../protocol/admin.ts";
import { BACKUPS_API, type AdminBackups } from "../../../protocol/admin-backups.ts";
import { useAct } from "../../parts/act.ts";
import { Card } from "../../parts/card.tsx";
import { Figure } from "../../parts/figure.tsx";
import { useNow } from "../../parts/now.ts";
import { formatAgo, formatBytes, formatMoment, formatNumber } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

interface SummaryProps {
  backups: AdminBackups;
  status: AdminStatus;
}

export function Summary({ backups, status }: SummaryProps) {
  const { language } = useSpoken();
  const now = useNow();
  const words = useWords(WORDS);
  const { summary } = words;
  const [newest] = backups.generations;
  const { verifiedAt } = backups;
  return (
    <>
      <Attention backups={backups} status={status} />
      <Card
        title={summary.title}
        aside={
          <Badge variant={backups.encrypted ? "success" : "warning"}>
            {backups.encrypted ? summary.encrypted : summary.plain}
          </Badge>
        }
      >
        <dl className="grid grid-cols-1 gap-4 sm:grid-cols-3">
          <Figure
            name={summary.last}
            value={newest === undefined ? summary.never : formatAgo(newest.at, now, language)}
            about={
              newest === undefined
                ? [summary.neverHelp]
                : [`#${newest.generation} · ${formatMoment(newest.at, language)}`]
            }
          />
          <Figure
            name={summary.verified}
            value={
              verifiedAt === undefined
                ? summary.verifiedNever
                : formatAgo(verifiedAt, now, language)
            }
            about={[verifiedAt === undefined ? summary.verifiedNeverHelp : summary.verifiedHelp]}
          />
          <Figure
            name={summary.size}
            value={newest === undefined ? "–" : formatBytes(newest.bytes, language)}
            about={[
              ...(newest === undefined
                ? []
                : [summary.files(formatNumber(newest.files, language))]),
              backups.encrypted ? summary.encryptedHelp : summary.plainHelp,
            ]}
          />
        </dl>
        <p className="text-kumo-subtle mt-4">{useSavedText(status)}</p>
        <Buttons running={status.phase === "ready"} />
      </Card>
    </>
  );
}

function useSavedText({ supervisor, phase }: AdminStatus): string {
  const { language } = useSpoken();
  const now = useNow();
  const { summary } = useWords(WORDS);
  const since = supervisor?.backups?.dirtySince;
  if (phase !== "ready") return summary.asleep;
  return since === undefined ? summary.saved : summary.unsaved(formatAgo(since, now, language));
}

function Attention({ backups, status }: SummaryProps) {
  const { language } = useSpoken();
  const now = useNow();
  const { summary } = useWords(WORDS);
  const alert = status.backups?.alert;
  const { failure } = backups;
  const problems = [
    ...(alert === undefined ? [] : [{ title: summary.problem, at: alert.at, text: alert.text }]),
    ...(failure === undefined
      ? []
      : [{ title: summary.failure, at: failure.at, text: failure.message }]),
  ];
  return problems.map(({ title, at, text }) => (
    <div key={title} role="alert">
      <Banner
        variant="error"
        icon={<WarningCircleIcon weight="fill" />}
        title={title}
        description={
          <span className="wrap-anywhere">{`${text} (${formatAgo(at, now, language)})`}</span>
        }
      />
    </div>
  ));
}

function Buttons({ running }: { running: boolean }) {
  const { summary } = useWords(WORDS);
  const backUp = useAct(BACKUPS_API.backUpNow, ({ generation }) => summary.backUpDone(generation));
  const verify = useAct(BACKUPS_API.verify, ({ pending }) =>
    pending === true ? summary.goesOn : summary.verifyDone,
  );
  const verifyAll = useAct(BACKUPS_API.verify, ({ pending }) =>
    pending === true ? summary.goesOn : summary.verifyAllDone,
  );
  return (
    <>
      <div className="mt-3 flex flex-wrap gap-2">
        <Button
          variant="primary"
          icon={CloudArrowUpIcon}
          loading={backUp.busy}
          disabled={!running}
          onClick={() => backUp()}
        >
          {summary.backUp}
        </Button>
        <Button
          icon={ShieldCheckIcon}
          loading={verify.busy}
          disabled={!running || verifyAll.busy}
          onClick={() => verify({ body: {} })}
        >
          {summary.verify}
        </Button>
        <Button
          loading={verifyAll.busy}
          disabled={!running || verify.busy}
          onClick={() => verifyAll({ body: { generation: "all" } })}
        >
          {summary.verifyAll}
        </Button>
      </div>
      {running ? null : <p className="text-kumo-subtle mt-2 text-sm">{summary.notRunning}</p>}
    </>
  );
}
