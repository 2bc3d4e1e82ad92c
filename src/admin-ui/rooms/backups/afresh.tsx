import { Button } from "@cloudflare/kumo/components/button";
import { Dialog } from "@cloudflare/kumo/components/dialog";
import { Input } from "@cloudflare/kumo/components/input";
import { useState } from "react";
import type { AdminStatus } from "../../../protocol/admin.ts";
import { AFRESH, BACKUPS_API } from "../../../protocol/admin-backups.ts";
import { useAct } from "../../parts/act.ts";
import { Card } from "../../parts/card.tsx";
import { Consequences } from "../../parts/consequences.tsx";
import { useText, useWords } from "../../text/text.tsx";
import { isLive, type Job } from "./progress.tsx";
import { WORDS } from "./words.ts";

interface AfreshProps {
  status: AdminStatus;
  follow(job: Job | undefined): void;
}

export function Afresh({ status, follow }: AfreshProps) {
  const { afresh: words } = useWords(WORDS);
  const [asking, setAsking] = useState(false);
  const live = isLive(status);
  const afresh = useAct(BACKUPS_API.afresh, live ? words.begun : words.stopped.join(" "));
  function confirmed(): void {
    setAsking(false);
    if (live) {
      follow({ what: `${words.title}.`, done: words.done, from: status.startGeneration });
    }
    afresh({ body: { confirm: AFRESH } }, { onFailed: () => follow(undefined) });
  }
  return (
    <Card title={words.title}>
      <p className="text-kumo-subtle">{words.about}</p>
      <Button
        className="mt-4"
        variant="secondary-destructive"
        loading={afresh.busy}
        onClick={() => setAsking(true)}
      >
        {words.open}
      </Button>
      <Dialog.Root role="alertdialog" open={asking} onOpenChange={setAsking}>
        <Dialog className="p-6">
          <Dialog.Title className="text-kumo-default mb-2 text-lg font-semibold">
            {words.askTitle}
          </Dialog.Title>
          <Dialog.Description className="text-kumo-subtle">{words.about}</Dialog.Description>
          <Consequences lines={[...(live ? words.running : words.stopped), ...words.always]} />
          <Typed onCancel={() => setAsking(false)} onConfirm={confirmed} />
        </Dialog>
      </Dialog.Root>
    </Card>
  );
}

/** The Worker wants the same words, so that no slip of a hand gets there. */
function Typed({ onCancel, onConfirm }: { onCancel(): void; onConfirm(): void }) {
  const text = useText();
  const { afresh: words } = useWords(WORDS);
  const [typed, setTyped] = useState("");
  return (
    <form
      className="mt-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed.trim() === AFRESH) onConfirm();
      }}
    >
      <Input
        label={words.type(AFRESH)}
        value={typed}
        autoComplete="off"
        onChange={(event) => setTyped(event.target.value)}
      />
      <div className="mt-6 flex flex-wrap justify-end gap-2">
        <Button type="button" onClick={onCancel}>
          {text.cancel}
        </Button>
        <Button type="submit" variant="destructive" disabled={typed.trim() !== AFRESH}>
          {words.open}
        </Button>
      </div>
    </form>
  );
}
