import { Button } from "@cloudflare/kumo/components/button";
import { useId, useState } from "react";
import { SPEND_API } from "../../../protocol/spend.ts";
import type { TextSettings } from "../../../protocol/spend-settings.ts";
import { useAct } from "../../parts/act.ts";
import { Card } from "../../parts/card.tsx";
import { useWords } from "../../text/text.tsx";
import { NumberField } from "./number-field.tsx";
import { WORDS } from "./words.ts";

export function TextExcerpts({ settings }: { settings: TextSettings }) {
  const words = useWords(WORDS);
  const save = useAct(SPEND_API.change, words.texts.saved);
  const box = useId();
  const [enabled, setEnabled] = useState(settings.enabled);
  const [days, setDays] = useState(String(settings.days));
  return (
    <Card title={words.texts.title}>
      <p className="text-kumo-subtle mb-3">{words.texts.about}</p>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          save({ body: { texts: { enabled, days: Math.round(Number(days)) } } });
        }}
      >
        <p className="flex items-center gap-2">
          <input
            id={box}
            type="checkbox"
            className="accent-kumo-brand size-5"
            checked={enabled}
            onChange={(event) => setEnabled(event.target.checked)}
          />
          <label htmlFor={box}>{words.texts.on}</label>
        </p>
        <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
          <NumberField label={words.texts.days} value={days} required onChange={setDays} />
        </div>
        <div>
          <Button type="submit" loading={save.busy}>
            {words.save}
          </Button>
        </div>
      </form>
    </Card>
  );
}
