import { Input } from "@cloudflare/kumo/components/input";
import { useState } from "react";
import { SPEND_API } from "../../../protocol/spend.ts";
import type { PriceOverride } from "../../../protocol/spend-settings.ts";
import { useAct } from "../../parts/act.ts";
import { useWords } from "../../text/text.tsx";
import { DialogForm, FormDialog, type Opened } from "./form-dialog.tsx";
import { NumberField, numberOf } from "./number-field.tsx";
import { WORDS } from "./words.ts";

interface PriceDialogProps extends Opened {
  /** Those there are: a new one for the same model takes the old one's place. */
  prices: PriceOverride[];
}

export function PriceDialog({ prices, ...opened }: PriceDialogProps) {
  const { prices: words } = useWords(WORDS);
  return (
    <FormDialog {...opened} title={words.addTitle}>
      <PriceForm prices={prices} onDone={() => opened.onOpenChange(false)} />
    </FormDialog>
  );
}

function PriceForm({ prices, onDone }: { prices: PriceOverride[]; onDone(): void }) {
  const { prices: words } = useWords(WORDS);
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
    <DialogForm onSave={save} onDone={onDone}>
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
    </DialogForm>
  );
}
