import { Empty } from "@cloudflare/kumo/components/empty";
import { Loader } from "@cloudflare/kumo/components/loader";
import { CloudSlashIcon } from "@phosphor-icons/react/dist/csr/CloudSlash";
import { useState } from "react";
import { useBackups, useStatus } from "../../live/queries.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { useText, useWords } from "../../text/text.tsx";
import { Afresh } from "./afresh.tsx";
import { Imports } from "./imports.tsx";
import { LeftOut } from "./left-out.tsx";
import { Progress, type Job } from "./progress.tsx";
import { RecoveryKit } from "./recovery-kit.tsx";
import { Retention } from "./retention.tsx";
import { Summary } from "./summary.tsx";
import { Timeline } from "./timeline.tsx";
import { WORDS } from "./words.ts";

export function BackupsRoom() {
  const text = useText();
  const words = useWords(WORDS);
  const { data: status } = useStatus();
  const backups = useBackups(status?.kept === true);
  const [job, setJob] = useState<Job>();
  if (status?.kept === false) {
    return (
      <Empty
        icon={<CloudSlashIcon size={48} aria-hidden />}
        title={words.nothingKept}
        description={words.nothingKeptHelp}
      />
    );
  }
  if (status === undefined || (backups.data === undefined && backups.error === null)) {
    return <Loader aria-label={text.loading} />;
  }
  const progress =
    job === undefined ? null : (
      <Progress job={job} status={status} onClose={() => setJob(undefined)} />
    );
  if (backups.data === undefined) {
    return (
      <>
        {progress}
        <Trouble error={backups.error} retry={() => void backups.refetch()} />
      </>
    );
  }
  return (
    <>
      {progress}
      <Summary backups={backups.data} status={status} />
      <LeftOut {...status} />
      <Timeline generations={backups.data.generations} status={status} follow={setJob} />
      <RecoveryKit takenAt={backups.data.recoveryKitAt} />
      <Imports status={status} follow={setJob} />
      <Retention policy={backups.data.retention} prunedAt={status.backups?.prunedAt} />
      <Afresh status={status} follow={setJob} />
    </>
  );
}
