import { Button } from "@cloudflare/kumo/components/button";
import { useId, useState } from "react";
import { SPEND_API } from "../../../protocol/spend.ts";
import type { CacheSettings } from "../../../protocol/spend-settings.ts";
import { useAct } from "../../parts/act.ts";
import { Card } from "../../parts/card.tsx";
import { NumberField } from "./number-field.tsx";
import { useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

const MB = 1_048_576;

export function AnswerCache({ settings }: { settings: CacheSettings }) {
  const words = useWords(WORDS);
  const save = useAct(SPEND_API.change, words.cache.saved);
  const box = useId();
  const [enabled, setEnabled] = useState(settings.enabled);
  const [minutes, setMinutes] = useState(String(settings.ttlSeconds / 60));
  const [megabytes, setMegabytes] = useState(String(settings.maxBytes / MB));
  return (
    <Card title={words.cache.title}>
      <p className="text-kumo-subtle mb-3">{words.cache.about}</p>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          const ttlSeconds = Math.max(1, Math.round(Number(minutes) * 60));
          const maxBytes = Math.max(1, Math.round(Number(megabytes) * MB));
          save({ body: { cache: { enabled, ttlSeconds, maxBytes } } });
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
          <label htmlFor={box}>{words.cache.on}</label>
        </p>
        <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
          <NumberField label={words.cache.ttl} value={minutes} required onChange={setMinutes} />
          <NumberField
            label={words.cache.size}
            value={megabytes}
            required
            onChange={setMegabytes}
          />
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
