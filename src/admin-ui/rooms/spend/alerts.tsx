import { Button } from "@cloudflare/kumo/components/button";
import { Input } from "@cloudflare/kumo/components/input";
import { useState } from "react";
import { SPEND_API, type SpendAlert } from "../../../protocol/spend.ts";
import { useAct } from "../../parts/act.ts";
import { Card } from "../../parts/card.tsx";
import { formatMoment } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";
import type { Words } from "./words-en.ts";

interface AlertsProps {
  alerts: SpendAlert[];
  webhookHost: string | undefined;
}

export function Alerts({ alerts, webhookHost }: AlertsProps) {
  const { language } = useSpoken();
  const { alerts: words, caps } = useWords(WORDS);
  return (
    <Card title={words.title}>
      <p className="text-kumo-subtle mb-3">{alerts.length === 0 ? words.none : words.about}</p>
      <ol className="mb-4 flex flex-col gap-2">
        {alerts.map((alert) => {
          const { at, period, unit, percent } = alert;
          const cap = caps.names[period][unit];
          return (
            <li key={`${at} ${period} ${unit} ${percent}`}>
              {percent === undefined ? words.refused(cap) : words.reached(percent, cap)}
              <span className="text-kumo-subtle text-sm">
                {[formatMoment(at, language), ...tellings(alert, words)].map(
                  (part) => ` · ${part}`,
                )}
              </span>
            </li>
          );
        })}
      </ol>
      <Webhook host={webhookHost} />
    </Card>
  );
}

function tellings({ delivered, told = [] }: SpendAlert, words: Words["alerts"]): string[] {
  if (delivered === undefined) return [];
  if (!delivered) return [words.undelivered];
  return told.length === 0 ? [words.delivered] : told.map((taker) => words.takers[taker]);
}

function Webhook({ host }: { host: string | undefined }) {
  const words = useWords(WORDS);
  const set = useAct(SPEND_API.change, words.alerts.saved);
  const remove = useAct(SPEND_API.change, words.alerts.removed);
  const [url, setUrl] = useState("");
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        set({ body: { webhookUrl: url } });
        setUrl("");
      }}
    >
      {host === undefined ? null : <p>{words.alerts.webhookSet(host)}</p>}
      <Input
        label={words.alerts.webhook}
        description={words.alerts.webhookHelp}
        type="url"
        value={url}
        required
        autoComplete="off"
        onChange={(event) => setUrl(event.target.value)}
      />
      <div className="flex flex-wrap gap-2">
        <Button type="submit" loading={set.busy}>
          {words.save}
        </Button>
        {host === undefined ? null : (
          <Button
            type="button"
            variant="secondary-destructive"
            loading={remove.busy}
            onClick={() => remove({ body: { webhookUrl: null } })}
          >
            {words.alerts.removeWebhook}
          </Button>
        )}
      </div>
    </form>
  );
}
