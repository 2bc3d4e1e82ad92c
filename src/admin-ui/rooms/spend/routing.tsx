import { Badge } from "@cloudflare/kumo/components/badge";
import { Button } from "@cloudflare/kumo/components/button";
import { Input, Textarea } from "@cloudflare/kumo/components/input";
import { Loader } from "@cloudflare/kumo/components/loader";
import { useState } from "react";
import { SPEND_API, type ModelsOverview } from "../../../protocol/spend.ts";
import { useModels } from "../../live/queries.ts";
import { useAct } from "../../parts/act.ts";
import { Card } from "../../parts/card.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { formatClock } from "../../text/format.ts";
import { useSpoken, useText, useWords } from "../../text/text.tsx";
import { NumberField, numberOf } from "./number-field.tsx";
import { WORDS } from "./words.ts";

export function Routing() {
  const text = useText();
  const { routing: words } = useWords(WORDS);
  const models = useModels();
  return (
    <Card title={words.title}>
      {models.data === undefined ? (
        models.error === null ? (
          <Loader aria-label={text.loading} />
        ) : (
          <Trouble error={models.error} retry={() => void models.refetch()} />
        )
      ) : (
        <>
          <p className="text-kumo-subtle mb-3">{words.about}</p>
          {models.data.unfit.length === 0 ? null : (
            <p role="alert" className="text-kumo-danger mb-3">
              {words.unfit(models.data.unfit.join(", "))}
            </p>
          )}
          <RoutingForm models={models.data} />
          <Providers models={models.data} />
        </>
      )}
    </Card>
  );
}

function RoutingForm({ models }: { models: ModelsOverview }) {
  const { routing: words } = useWords(WORDS);
  const { routing, configured } = models;
  const save = useAct(SPEND_API.route, ({ afterRestart }) =>
    afterRestart ? words.afterRestart : words.saved,
  );
  const [primary, setPrimary] = useState(routing.primary ?? "");
  const [fallbacks, setFallbacks] = useState(routing.fallbacks.join("\n"));
  const [patience, setPatience] = useState(String(routing.patienceSeconds ?? ""));
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        const seconds = numberOf(patience);
        save({
          body: {
            ...(primary.trim() === "" ? {} : { primary: primary.trim() }),
            fallbacks: fallbacks.split(/\s+/).filter((line) => line !== ""),
            ...(seconds === undefined ? {} : { patienceSeconds: seconds }),
          },
        });
      }}
    >
      <Input
        label={words.primary}
        description={words.primaryHelp(configured)}
        value={primary}
        onChange={(event) => setPrimary(event.target.value)}
      />
      <Textarea
        label={words.fallbacks}
        description={words.fallbacksHelp}
        rows={3}
        value={fallbacks}
        onChange={(event) => setFallbacks(event.target.value)}
      />
      <NumberField
        label={words.patience}
        description={words.patienceHelp}
        value={patience}
        least={1}
        onChange={setPatience}
      />
      <div>
        <Button type="submit" variant="primary" loading={save.busy}>
          {words.save}
        </Button>
      </div>
    </form>
  );
}

function Providers({ models }: { models: ModelsOverview }) {
  const { language } = useSpoken();
  const words = useWords(WORDS);
  return (
    <>
      <h3 className="mt-6 mb-2 font-medium">{words.routing.providers}</h3>
      <ul className="flex flex-col gap-2">
        {models.providers.map((provider) => (
          <li key={provider.id} className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
            <span className="font-medium">{provider.title}</span>
            <Badge variant={provider.ready ? "success" : "outline"}>
              {provider.ready ? words.routing.ready : words.routing.notReady(provider.settings)}
            </Badge>
            <span className="text-kumo-subtle text-sm">
              {provider.ready ? words.calls.routes[provider.route] : ""}
              {provider.skippedUntil === undefined
                ? ""
                : ` · ${words.routing.skipped(formatClock(provider.skippedUntil, language))}`}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
