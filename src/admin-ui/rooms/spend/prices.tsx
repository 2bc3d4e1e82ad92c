import { Button } from "@cloudflare/kumo/components/button";
import { useState } from "react";
import { SPEND_API, type SpendOverview } from "../../../protocol/spend.ts";
import type { PriceOverride } from "../../../protocol/spend-settings.ts";
import { useAct } from "../../parts/act.ts";
import { Card } from "../../parts/card.tsx";
import { formatUsd } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import { PriceDialog } from "./price-dialog.tsx";
import { Table } from "../../parts/table.tsx";
import { WORDS } from "./words.ts";
import { WorstCaseDialog } from "./worst-case-dialog.tsx";

export function Prices({ overview }: { overview: SpendOverview }) {
  const { language } = useSpoken();
  const all = useWords(WORDS);
  const { prices: words } = all;
  const [adding, setAdding] = useState(false);
  const [worst, setWorst] = useState(false);
  const { prices, settings } = overview;
  const usd = (price: number | undefined) =>
    price === undefined ? words.unknown : formatUsd(price, language);
  return (
    <Card
      title={words.title}
      aside={
        <span className="flex flex-wrap gap-2">
          <Button size="sm" onClick={() => setWorst(true)}>
            {words.changeWorst}
          </Button>
          <Button size="sm" onClick={() => setAdding(true)}>
            {words.add}
          </Button>
        </span>
      }
    >
      <p className="text-kumo-subtle mb-3">
        {words.about(prices.source, prices.date)}{" "}
        {words.worst(usd(settings.worstCase.input), usd(settings.worstCase.output))}
      </p>
      <Table
        label={all.tableOf(words.title)}
        head={[words.model, words.input, words.output, words.from]}
        rows={prices.models.map((price) => [
          price.model,
          usd(price.input),
          usd(price.output),
          price.own ? words.own : price.input === undefined ? words.unknown : words.listed,
        ])}
      />
      <OwnPrices prices={settings.prices} />
      <WorstCaseDialog open={worst} onOpenChange={setWorst} price={settings.worstCase} />
      <PriceDialog open={adding} onOpenChange={setAdding} prices={settings.prices} />
    </Card>
  );
}

/** The admin's own; those of the configuration change there. */
function OwnPrices({ prices }: { prices: PriceOverride[] }) {
  const { language } = useSpoken();
  const { prices: words } = useWords(WORDS);
  const remove = useAct(SPEND_API.change, words.removed);
  return (
    <ul className="mt-4 flex flex-col gap-2">
      {prices.map((price) => (
        <li key={price.model} className="flex flex-wrap items-center justify-between gap-2">
          <span className="min-w-0 wrap-anywhere">
            {price.model}: {formatUsd(price.input, language)} / {formatUsd(price.output, language)}
          </span>
          <Button
            size="sm"
            variant="secondary-destructive"
            loading={remove.busy}
            aria-label={words.removeOf(price.model)}
            onClick={() =>
              remove({ body: { prices: prices.filter(({ model }) => model !== price.model) } })
            }
          >
            {words.remove}
          </Button>
        </li>
      ))}
    </ul>
  );
}
