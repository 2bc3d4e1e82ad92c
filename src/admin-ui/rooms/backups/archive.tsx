import { Badge } from "@cloudflare/kumo/components/badge";
import { Button } from "@cloudflare/kumo/components/button";
import { MagnifyingGlassIcon } from "@phosphor-icons/react/dist/csr/MagnifyingGlass";
import { TrashIcon } from "@phosphor-icons/react/dist/csr/Trash";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { AdminStatus } from "../../../protocol/admin.ts";
import { BACKUPS_API } from "../../../protocol/admin-backups.ts";
import type { ImportView } from "../../../protocol/import.ts";
import { call } from "../../api/client.ts";
import { useAct } from "../../parts/act.ts";
import { Confirm } from "../../parts/confirm.tsx";
import { Consequences } from "../../parts/consequences.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { formatBytes } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import { isLive, type Job } from "./progress.tsx";
import { Report } from "./report.tsx";
import { WORDS } from "./words.ts";

const COLOUR = {
  uploading: "neutral",
  uploaded: "info",
  waiting: "info",
  done: "success",
  refused: "error",
} as const;
/** The archive that somebody put into the bucket: it may be their only one, so deleting it is asked about. */
const IN_BUCKET = "bucket";

interface ArchiveProps {
  archive: ImportView;
  status: AdminStatus;
  follow(job: Job | undefined): void;
}

/** An archive that is here: what it holds, and the way in. */
export function Archive({ archive, status, follow }: ArchiveProps) {
  const { language } = useSpoken();
  const { imports: words, report } = useWords(WORDS);
  const [asking, setAsking] = useState<"apply" | "remove">();
  const { id, name, bytes, state, problem } = archive;
  const live = isLive(status);
  const look = useMutation({ mutationFn: () => call(BACKUPS_API.surveyImport, { id }) });
  const apply = useAct(BACKUPS_API.applyImport, live ? words.begun : words.stopped.join(" "));
  const drop = useAct(BACKUPS_API.dropImport, words.removed);
  const whole = state === "uploaded" || state === "waiting" || state === "refused";
  return (
    <li className="border-kumo-line mt-4 flex flex-col gap-3 border-t pt-4">
      <p className="flex flex-wrap items-center gap-2">
        <span className="min-w-0 font-medium wrap-anywhere">{name}</span>
        <span className="text-kumo-subtle">{formatBytes(bytes, language)}</span>
        <Badge variant={COLOUR[state]}>{words.states[state]}</Badge>
      </p>
      {problem === undefined ? null : <p className="wrap-anywhere">{problem}</p>}
      <div className="flex flex-wrap gap-2">
        {whole ? (
          <Button icon={MagnifyingGlassIcon} loading={look.isPending} onClick={() => look.mutate()}>
            {words.look}
          </Button>
        ) : null}
        <Button
          variant="ghost"
          icon={TrashIcon}
          loading={drop.busy}
          onClick={() => (id === IN_BUCKET ? setAsking("remove") : drop({ id }))}
        >
          {words.remove}
        </Button>
      </div>
      {look.isPending ? (
        <p role="status" className="text-kumo-subtle">
          {words.looking}
        </p>
      ) : null}
      {look.error === null ? null : <Trouble error={look.error} action />}
      {!whole || look.data === undefined ? null : look.data.ok ? (
        <>
          <Report report={look.data.report} />
          <Button
            className="self-start"
            variant="primary"
            loading={apply.busy}
            onClick={() => setAsking("apply")}
          >
            {words.apply}
          </Button>
        </>
      ) : (
        <p role="alert" className="wrap-anywhere">
          <span className="font-medium">{report.refused}:</span> {look.data.message}
        </p>
      )}
      <Confirm
        open={asking === "apply"}
        onOpenChange={(open) => setAsking(open ? "apply" : undefined)}
        title={words.askTitle}
        text={words.askText(name)}
        action={words.apply}
        onConfirm={() => {
          if (live) {
            const what = `${words.title}: ${name}.`;
            follow({ what, done: words.done, from: status.startGeneration });
          }
          apply({ id }, { onFailed: () => follow(undefined) });
        }}
      >
        <Consequences lines={[...(live ? words.running : words.stopped), ...words.always]} />
      </Confirm>
      <Confirm
        open={asking === "remove"}
        onOpenChange={(open) => setAsking(open ? "remove" : undefined)}
        title={words.removeTitle}
        text={words.removeText(name)}
        action={words.remove}
        onConfirm={() => drop({ id })}
      />
    </li>
  );
}
