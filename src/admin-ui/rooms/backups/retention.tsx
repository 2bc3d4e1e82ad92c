import { Button } from "@cloudflare/kumo/components/button";
import { BroomIcon } from "@phosphor-icons/react/dist/csr/Broom";
import { useState } from "react";
import { BACKUPS_API, type RetentionView } from "../../../protocol/admin-backups.ts";
import { useAct } from "../../parts/act.ts";
import { Card } from "../../parts/card.tsx";
import { Confirm } from "../../parts/confirm.tsx";
import { Consequences } from "../../parts/consequences.tsx";
import { useNow } from "../../parts/now.ts";
import { formatAgo } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

interface RetentionProps {
  policy: RetentionView;
  prunedAt: number | undefined;
}

export function Retention({ policy, prunedAt }: RetentionProps) {
  const { language } = useSpoken();
  const now = useNow();
  const { retention: words, summary } = useWords(WORDS);
  const [asking, setAsking] = useState(false);
  const prune = useAct(BACKUPS_API.prune, ({ pending }) =>
    pending === true ? summary.goesOn : words.done,
  );
  const rules = words.policy(policy);
  return (
    <Card title={words.title}>
      <ul className="flex list-disc flex-col gap-1 pl-5">
        {rules.map((rule) => (
          <li key={rule}>{rule}</li>
        ))}
      </ul>
      <p className="text-kumo-subtle mt-3">
        {words.always}
        {prunedAt === undefined ? "" : ` ${words.last(formatAgo(prunedAt, now, language))}`}
      </p>
      <Button
        className="mt-4"
        icon={BroomIcon}
        loading={prune.busy}
        onClick={() => setAsking(true)}
      >
        {words.prune}
      </Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={words.askTitle}
        text={words.askText}
        action={words.prune}
        onConfirm={() => prune()}
      >
        <Consequences lines={rules} />
      </Confirm>
    </Card>
  );
}
