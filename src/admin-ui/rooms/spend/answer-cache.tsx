import { useState } from "react";
import { SPEND_API } from "../../../protocol/spend.ts";
import type { CacheSettings } from "../../../protocol/spend-settings.ts";
import { useAct } from "../../parts/act.ts";
import { useWords } from "../../text/text.tsx";
import { NumberField } from "./number-field.tsx";
import { SwitchCard } from "./switch-card.tsx";
import { WORDS } from "./words.ts";

const MB = 1_048_576;

export function AnswerCache({ settings }: { settings: CacheSettings }) {
  const { cache } = useWords(WORDS);
  const save = useAct(SPEND_API.change, cache.saved);
  const [minutes, setMinutes] = useState(String(settings.ttlSeconds / 60));
  const [megabytes, setMegabytes] = useState(String(settings.maxBytes / MB));
  return (
    <SwitchCard
      text={cache}
      on={settings.enabled}
      busy={save.busy}
      onSave={(enabled) => {
        const ttlSeconds = Math.max(1, Math.round(Number(minutes) * 60));
        const maxBytes = Math.max(1, Math.round(Number(megabytes) * MB));
        save({ body: { cache: { enabled, ttlSeconds, maxBytes } } });
      }}
    >
      <NumberField label={cache.ttl} value={minutes} required onChange={setMinutes} />
      <NumberField label={cache.size} value={megabytes} required onChange={setMegabytes} />
    </SwitchCard>
  );
}
