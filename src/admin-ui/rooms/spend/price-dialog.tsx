import { Button } from "@cloudflare/kumo/components/button";
import { Dialog } from "@cloudflare/kumo/components/dialog";
import { Input } from "@cloudflare/kumo/components/input";
import { useState } from "react";
import { SPEND_API } from "../../../protocol/spend.ts";
import type { PriceOverride } from "../../../protocol/spend-settings.ts";
import { useAct } from "../../parts/act.ts";
import { useText, useWords } from "../../text/text.tsx";
import { NumberField, numberOf } from "./number-field.tsx";
import { WORDS } from "./words.ts";

interface PriceDialogProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  /** Those there are: a new one for the same model takes the old one's place. */
  prices: PriceOverride[];
}

export function PriceDialog({ open, onOpenChange, prices }: PriceDialogProps) {
  const { prices: words } = useWords(WORDS);
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog className="p-6">
        <Dialog.Title className="text-kumo-default mb-4 text-lg font-semibold">
          {words.addTitle}
        </Dialog.Title>
        <PriceForm prices={prices} onDone={() => onOpenChange(false)} />
      </Dialog>
    </Dialog.Root>
  );
}

function PriceForm({ prices, onDone }: { prices: PriceOverride[]; onDone(): void }) {
  const text = useText();
  const all = useWords(WORDS);
  const { prices: words } = all;
  const change = useAct(SPEND_API.change, words.saved);
  const [model, setModel] = useState("");
  const [rates, setRates] = useState({ input: "", output: "", cacheRead: "", cacheWrite: "" });
  function save(): void {
    const cacheRead = numberOf(rates.cacheRead);
    const cacheWrite = numberOf(rates.cacheWrite);
    const price: PriceOverride = {
      model: model.trim(),
      input: Number(rates.input),
      output: Number(rates.output),
      ...(cacheRead === undefined ? {} : { cacheRead }),
      ...(cacheWrite === undefined ? {} : { cacheWrite }),
    };
    const others = prices.filter((other) => other.model !== price.model);
    change({ body: { prices: [...others, price] } });
  }
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        save();
        onDone();
      }}
    >
      <Input
        label={words.model}
        description={words.pattern}
        value={model}
        required
        onChange={(event) => setModel(event.target.value)}
      />
      {(
        [
          ["input", words.inputFor],
          ["output", words.outputFor],
          ["cacheRead", words.cacheRead],
          ["cacheWrite", words.cacheWrite],
        ] as const
      ).map(([name, label]) => (
        <NumberField
          key={name}
          label={label}
          value={rates[name]}
          required={name === "input" || name === "output"}
          onChange={(value) => setRates({ ...rates, [name]: value })}
        />
      ))}
      <div className="mt-2 flex flex-wrap justify-end gap-2">
        <Button type="button" onClick={onDone}>
          {text.cancel}
        </Button>
        <Button type="submit" variant="primary">
          {all.save}
        </Button>
      </div>
    </form>
  );
}
