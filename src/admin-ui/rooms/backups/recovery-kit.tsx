import { Button } from "@cloudflare/kumo/components/button";
import { LifebuoyIcon } from "@phosphor-icons/react/dist/csr/Lifebuoy";
import { useState } from "react";
import { BACKUPS_API } from "../../../protocol/admin-backups.ts";
import { useAct } from "../../parts/act.ts";
import { Card } from "../../parts/card.tsx";
import { Confirm } from "../../parts/confirm.tsx";
import { saveText } from "../../parts/save.ts";
import { formatMoment } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

/** Handed out once, so it stays in this page's memory, and only there, until the reader leaves. */
export function RecoveryKit({ takenAt }: { takenAt: number | undefined }) {
  const { language } = useSpoken();
  const { kit: words } = useWords(WORDS);
  const [asking, setAsking] = useState(false);
  const [kit, setKit] = useState<{ name: string; text: string }>();
  const take = useAct(BACKUPS_API.recoveryKit, words.done);
  return (
    <Card title={words.title}>
      <p className="text-kumo-subtle">
        {words.about} {takenAt === undefined ? words.once : ""}
      </p>
      {takenAt === undefined ? (
        <Button
          className="mt-4"
          icon={LifebuoyIcon}
          loading={take.busy}
          onClick={() => setAsking(true)}
        >
          {words.take}
        </Button>
      ) : (
        <p className="mt-3">{words.taken(formatMoment(takenAt, language))}</p>
      )}
      {kit === undefined ? null : (
        <>
          <p className="text-kumo-subtle mt-3">{words.againHelp}</p>
          <Button className="mt-2" onClick={() => saveText(kit.name, kit.text)}>
            {words.again}
          </Button>
        </>
      )}
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={words.askTitle}
        text={words.askText}
        action={words.take}
        harmless
        onConfirm={() =>
          take(
            {},
            {
              onDone(reply) {
                setKit(reply);
                saveText(reply.name, reply.text);
              },
            },
          )
        }
      />
    </Card>
  );
}
