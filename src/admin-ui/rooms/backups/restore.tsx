import type { AdminStatus } from "../../../protocol/admin.ts";
import { BACKUPS_API, type GenerationView } from "../../../protocol/admin-backups.ts";
import { useAct } from "../../parts/act.ts";
import { Confirm } from "../../parts/confirm.tsx";
import { Consequences } from "../../parts/consequences.tsx";
import { formatBytes, formatMoment, formatNumber } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import { isLive, type Job } from "./progress.tsx";
import { WORDS } from "./words.ts";

interface RestoreProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  generation: GenerationView;
  status: AdminStatus;
  follow(job: Job | undefined): void;
}

/** Names what a restore does to this agent as it is now, before it is done. */
export function RestoreQuestion({ open, onOpenChange, generation, status, follow }: RestoreProps) {
  const { language } = useSpoken();
  const { restore: words, name } = useWords(WORDS);
  const { generation: n, at, files, bytes } = generation;
  const live = isLive(status);
  const restore = useAct(BACKUPS_API.restore, live ? words.begun : words.next(n));
  return (
    <Confirm
      open={open}
      onOpenChange={onOpenChange}
      title={words.title(n)}
      text={words.text(
        formatMoment(at, language),
        formatNumber(files, language),
        formatBytes(bytes, language),
      )}
      action={words.action}
      onConfirm={() => {
        if (live) {
          const what = `${words.action}: ${name(n)}.`;
          follow({ what, done: words.done(n), from: status.startGeneration });
        }
        restore({ body: { generation: n } }, { onFailed: () => follow(undefined) });
      }}
    >
      <Consequences lines={[...(live ? words.running : words.stopped), ...words.always]} />
    </Confirm>
  );
}
