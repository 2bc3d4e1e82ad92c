import { Button } from "@cloudflare/kumo/components/button";
import { Dialog } from "@cloudflare/kumo/components/dialog";
import { useState } from "react";
import { SPEND_API } from "../../../protocol/spend.ts";
import type { WorstCasePrice } from "../../../protocol/spend-settings.ts";
import { useAct } from "../../parts/act.ts";
import { useText, useWords } from "../../text/text.tsx";
import { NumberField } from "./number-field.tsx";
import { WORDS } from "./words.ts";

interface WorstCaseDialogProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  price: WorstCasePrice;
}

/** What a token is counted at while nobody knows its price. */
export function WorstCaseDialog({ open, onOpenChange, price }: WorstCaseDialogProps) {
  const { prices: words } = useWords(WORDS);
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog className="p-6">
        <Dialog.Title className="text-kumo-default mb-2 text-lg font-semibold">
          {words.worstTitle}
        </Dialog.Title>
        <Dialog.Description className="text-kumo-subtle mb-4">{words.worstHelp}</Dialog.Description>
        <WorstCaseForm price={price} onDone={() => onOpenChange(false)} />
      </Dialog>
    </Dialog.Root>
  );
}

function WorstCaseForm({ price, onDone }: { price: WorstCasePrice; onDone(): void }) {
  const text = useText();
  const all = useWords(WORDS);
  const { prices: words } = all;
  const change = useAct(SPEND_API.change, words.worstSaved);
  const [input, setInput] = useState(String(price.input));
  const [output, setOutput] = useState(String(price.output));
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        change({ body: { worstCase: { input: Number(input), output: Number(output) } } });
        onDone();
      }}
    >
      <NumberField label={words.inputFor} value={input} required onChange={setInput} />
      <NumberField label={words.outputFor} value={output} required onChange={setOutput} />
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
