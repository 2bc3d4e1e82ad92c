import { Button } from "@cloudflare/kumo/components/button";
import { Input } from "@cloudflare/kumo/components/input";
import { Loader } from "@cloudflare/kumo/components/loader";
import { useState } from "react";
import { SPEND_API, type ModelsOverview } from "../../../protocol/spend.ts";
import { useModels } from "../../live/queries.ts";
import { useAct } from "../../parts/act.ts";
import { Card } from "../../parts/card.tsx";
import { Facts } from "../../parts/facts.tsx";
import { KeyChecks } from "../../parts/key-check.tsx";
import { ownProviders } from "../../parts/own-providers.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { useText } from "../../text/text.tsx";

/** Which model the agent thinks with, and whether its provider takes the key. */
export function ModelCard() {
  const text = useText();
  const { settings: words } = text;
  const models = useModels();
  return (
    <Card title={words.model}>
      {models.data === undefined ? (
        models.error === null ? (
          <Loader aria-label={text.loading} />
        ) : (
          <Trouble error={models.error} retry={() => void models.refetch()} />
        )
      ) : (
        <Model models={models.data} />
      )}
    </Card>
  );
}

function Model({ models }: { models: ModelsOverview }) {
  const { settings: words } = useText();
  const { configured, routing } = models;
  const chosen = routing.primary;
  const ready = ownProviders(models);
  return (
    <div className="flex flex-col gap-4">
      <Facts
        facts={[
          { name: words.model, value: chosen ?? configured },
          {
            name: words.from,
            value: chosen === undefined ? words.fromSettings : words.fromPage(configured),
          },
          {
            name: words.providers,
            value: ready.length === 0 ? words.demo : <KeyChecks providers={ready} />,
          },
        ]}
      />
      <ModelForm key={chosen ?? ""} models={models} />
    </div>
  );
}

function ModelForm({ models: { routing, configured } }: { models: ModelsOverview }) {
  const { settings: words } = useText();
  const [model, setModel] = useState(routing.primary ?? "");
  const save = useAct(SPEND_API.route, ({ afterRestart }) =>
    afterRestart ? words.modelAfterRestart : words.modelSaved,
  );
  return (
    <form
      className="flex flex-wrap items-start gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        const { primary: _, ...rest } = routing;
        const primary = model.trim();
        save({ body: { ...rest, ...(primary === "" ? {} : { primary }) } });
      }}
    >
      <div className="min-w-0 flex-1 basis-64">
        <Input
          label={words.changeModel}
          description={words.changeModelHelp(configured)}
          value={model}
          placeholder={configured}
          onChange={(event) => setModel(event.target.value)}
        />
      </div>
      <Button type="submit" className="sm:mt-7" loading={save.busy}>
        {words.save}
      </Button>
    </form>
  );
}
