import { Badge } from "@cloudflare/kumo/components/badge";
import { Button, LinkButton } from "@cloudflare/kumo/components/button";
import { ArrowCounterClockwiseIcon } from "@phosphor-icons/react/dist/csr/ArrowCounterClockwise";
import { DownloadSimpleIcon } from "@phosphor-icons/react/dist/csr/DownloadSimple";
import { ShieldCheckIcon } from "@phosphor-icons/react/dist/csr/ShieldCheck";
import { useState } from "react";
import type { AdminStatus } from "../../../protocol/admin.ts";
import { BACKUPS_API, type GenerationView } from "../../../protocol/admin-backups.ts";
import { useAct } from "../../parts/act.ts";
import { useNow } from "../../parts/now.ts";
import { formatAgo, formatBytes, formatClock, formatNumber } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import type { Job } from "./progress.tsx";
import { RestoreQuestion } from "./restore.tsx";
import { WORDS } from "./words.ts";

interface GenerationProps {
  generation: GenerationView;
  newest: boolean;
  status: AdminStatus;
  follow(job: Job | undefined): void;
}

/** One point that the agent can go back to. */
export function Generation({ generation, newest, status, follow }: GenerationProps) {
  const { language } = useSpoken();
  const words = useWords(WORDS);
  const { timeline } = words;
  const { generation: n, at, reason, damaged, encrypted, of } = generation;
  const dot =
    damaged === undefined ? (newest ? "bg-kumo-brand" : "bg-kumo-fill") : "bg-kumo-danger";
  return (
    <li className="relative flex flex-col gap-x-4 gap-y-1 pl-5 sm:flex-row sm:items-start sm:justify-between">
      <span aria-hidden className={`absolute top-1.5 -left-[5.5px] size-2.5 rounded-full ${dot}`} />
      <div className="min-w-0">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <time className="font-medium tabular-nums" dateTime={new Date(at).toISOString()}>
            {formatClock(at, language)}
          </time>
          <span className="text-kumo-subtle">
            #{n} · {of === undefined ? words.reasons[reason] : words.restoredFrom(of)}
          </span>
          {newest ? <Badge variant="info">{timeline.newest}</Badge> : null}
          {encrypted || reason === "afresh" ? null : (
            <Badge variant="warning">{timeline.encryptedNot}</Badge>
          )}
          {damaged === undefined ? null : <Badge variant="error">{timeline.damaged}</Badge>}
        </p>
        <Contents generation={generation} />
      </div>
      {reason === "afresh" ? null : (
        <Buttons generation={generation} status={status} follow={follow} />
      )}
    </li>
  );
}

function Contents({ generation }: { generation: GenerationView }) {
  const { language } = useSpoken();
  const now = useNow();
  const { timeline } = useWords(WORDS);
  const { reason, changes, files, bytes, verifiedAt, damaged } = generation;
  if (reason === "afresh") return <p className="text-kumo-subtle text-sm">{timeline.empty}</p>;
  const { changed, removed, paths } = changes;
  const number = (value: number) => formatNumber(value, language);
  const named = paths.map((path) => path.replace(/^\.openclaw\//, ""));
  return (
    <div className="text-kumo-subtle text-sm wrap-anywhere">
      {changed + removed === 0 ? null : (
        <p>
          {timeline.changed(number(changed), number(removed), formatBytes(changes.bytes, language))}
          {named.length === 0 ? null : (
            <span className="font-mono text-xs">
              {" "}
              {named.join(", ")}
              {changed + removed > named.length ? " …" : ""}
            </span>
          )}
        </p>
      )}
      <p>
        {timeline.whole(number(files), formatBytes(bytes, language))}
        {verifiedAt === undefined
          ? ""
          : ` · ${timeline.verified(formatAgo(verifiedAt, now, language))}`}
      </p>
      {damaged === undefined ? null : (
        <p className="text-kumo-danger">{timeline.damagedHelp(damaged)}</p>
      )}
    </div>
  );
}

function Buttons({ generation, status, follow }: Omit<GenerationProps, "newest">) {
  const words = useWords(WORDS);
  const { timeline, summary } = words;
  const [asking, setAsking] = useState(false);
  const verify = useAct(BACKUPS_API.verify, ({ pending }) =>
    pending === true ? summary.goesOn : `${words.name(n)}: ${summary.verifyDone}`,
  );
  const { generation: n, damaged } = generation;
  return (
    <div className="flex shrink-0 flex-wrap gap-1">
      <Button
        size="sm"
        icon={ArrowCounterClockwiseIcon}
        disabled={damaged !== undefined}
        aria-label={timeline.of(timeline.restore, n)}
        onClick={() => setAsking(true)}
      >
        {timeline.restore}
      </Button>
      <Button
        size="sm"
        variant="ghost"
        icon={ShieldCheckIcon}
        loading={verify.busy}
        disabled={status.phase !== "ready"}
        aria-label={timeline.of(timeline.verify, n)}
        onClick={() => verify({ body: { generation: n } })}
      >
        {timeline.verify}
      </Button>
      <LinkButton
        size="sm"
        variant="ghost"
        icon={DownloadSimpleIcon}
        href={`/api/backups/${n}/archive`}
        download
        aria-label={timeline.of(timeline.download, n)}
      >
        {timeline.download}
      </LinkButton>
      <RestoreQuestion
        open={asking}
        onOpenChange={setAsking}
        generation={generation}
        status={status}
        follow={follow}
      />
    </div>
  );
}
