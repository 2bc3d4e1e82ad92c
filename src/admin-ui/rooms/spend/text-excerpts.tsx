import { useState } from "react";
import { SPEND_API } from "../../../protocol/spend.ts";
import type { TextSettings } from "../../../protocol/spend-settings.ts";
import { useAct } from "../../parts/act.ts";
import { useWords } from "../../text/text.tsx";
import { NumberField } from "./number-field.tsx";
import { SwitchCard } from "./switch-card.tsx";
import { WORDS } from "./words.ts";

export function TextExcerpts({ settings }: { settings: TextSettings }) {
  const { texts } = useWords(WORDS);
  const save = useAct(SPEND_API.change, texts.saved);
  const [days, setDays] = useState(String(settings.days));
  return (
    <SwitchCard
      text={texts}
      on={settings.enabled}
      busy={save.busy}
      onSave={(enabled) => save({ body: { texts: { enabled, days: Math.round(Number(days)) } } })}
    >
      <NumberField label={texts.days} value={days} required onChange={setDays} />
    </SwitchCard>
  );
}
