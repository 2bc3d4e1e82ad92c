import { Banner } from "@cloudflare/kumo/components/banner";
import { Button } from "@cloudflare/kumo/components/button";
import { Loader } from "@cloudflare/kumo/components/loader";
import { CheckCircleIcon } from "@phosphor-icons/react/dist/csr/CheckCircle";
import { WarningCircleIcon } from "@phosphor-icons/react/dist/csr/WarningCircle";
import type { AdminStatus } from "../../../protocol/admin.ts";
import { useText, useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

/** Something that stops the agent and starts it again from another state. */
export interface Job {
  what: string;
  /** What is true once it has worked. */
  done: string;
  /** The start generation when it began: a later one is its outcome. */
  from: number;
}

export function isLive({ phase }: AdminStatus): boolean {
  return phase !== "stopped" && phase !== "failed";
}

/** Follows a job over the status to its end, also when the answer to its call was lost. */
export function Progress({
  job,
  status,
  onClose,
}: {
  job: Job;
  status: AdminStatus;
  onClose(): void;
}) {
  const text = useText();
  const { progress: words } = useWords(WORDS);
  const { phase, startGeneration } = status;
  const anew = startGeneration > job.from;
  const close = (
    <Button size="sm" onClick={onClose}>
      {words.dismiss}
    </Button>
  );
  if (anew && phase === "ready") {
    return (
      <div role="status">
        <Banner
          icon={<CheckCircleIcon weight="fill" />}
          title={job.what}
          description={job.done}
          action={close}
        />
      </div>
    );
  }
  if (phase === "failed" || (anew && phase === "stopped")) {
    return (
      <div role="alert">
        <Banner
          variant="error"
          icon={<WarningCircleIcon weight="fill" />}
          title={`${job.what} ${words.ended}`}
          description={status.lastError ?? text.phases[phase]}
          action={close}
        />
      </div>
    );
  }
  return (
    <div role="status">
      <Banner
        icon={<Loader size="sm" aria-hidden />}
        title={words.working(job.what)}
        description={phase === "ready" ? words.saving : text.phases[phase]}
      />
    </div>
  );
}
