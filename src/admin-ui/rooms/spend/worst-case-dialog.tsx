import { useState } from "react";
import { SPEND_API } from "../../../protocol/spend.ts";
import type { WorstCasePrice } from "../../../protocol/spend-settings.ts";
import { useAct } from "../../parts/act.ts";
import { useWords } from "../../text/text.tsx";
import { DialogForm, FormDialog, type Opened } from "./form-dialog.tsx";
import { NumberField } from "./number-field.tsx";
import { WORDS } from "./words.ts";

/** What a token is counted at while nobody knows its price. */
export function WorstCaseDialog({ price, ...opened }: Opened & { price: WorstCasePrice }) {
  const { prices: words } = useWords(WORDS);
  return (
    <FormDialog {...opened} title={words.worstTitle} help={words.worstHelp}>
      <WorstCaseForm price={price} onDone={() => opened.onOpenChange(false)} />
    </FormDialog>
  );
}

function WorstCaseForm({ price, onDone }: { price: WorstCasePrice; onDone(): void }) {
  const { prices: words } = useWords(WORDS);
  const change = useAct(SPEND_API.change, words.worstSaved);
  const [input, setInput] = useState(String(price.input));
  const [output, setOutput] = useState(String(price.output));
  const worstCase = { input: Number(input), output: Number(output) };
  return (
    <DialogForm onSave={() => change({ body: { worstCase } })} onDone={onDone}>
      <NumberField label={words.inputFor} value={input} required onChange={setInput} />
      <NumberField label={words.outputFor} value={output} required onChange={setOutput} />
    </DialogForm>
  );
}
