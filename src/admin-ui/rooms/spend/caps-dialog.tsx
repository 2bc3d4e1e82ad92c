import { useState } from "react";
import { SPEND_API } from "../../../protocol/spend.ts";
import type { CapSettings } from "../../../protocol/spend-settings.ts";
import { useAct } from "../../parts/act.ts";
import { useWords } from "../../text/text.tsx";
import { DialogForm, FormDialog, type Opened } from "./form-dialog.tsx";
import { NumberField, numberOf } from "./number-field.tsx";
import { WORDS } from "./words.ts";

const CAPS = [
  ["dayUsd", "day", "usd"],
  ["monthUsd", "month", "usd"],
  ["dayTokens", "day", "tokens"],
  ["monthTokens", "month", "tokens"],
] as const;

export function CapsDialog({ caps, ...opened }: Opened & { caps: CapSettings }) {
  const { caps: words } = useWords(WORDS);
  return (
    <FormDialog {...opened} title={words.changeTitle} help={words.changeHelp}>
      <CapsForm caps={caps} onDone={() => opened.onOpenChange(false)} />
    </FormDialog>
  );
}

function CapsForm({ caps, onDone }: { caps: CapSettings; onDone(): void }) {
  const words = useWords(WORDS);
  const change = useAct(SPEND_API.change, words.caps.changed);
  const [values, setValues] = useState(() =>
    Object.fromEntries(CAPS.map(([name]) => [name, String(caps[name] ?? "")])),
  );
  function save(): void {
    const set = CAPS.flatMap(([name]) => {
      const value = numberOf(values[name] ?? "");
      return value === undefined ? [] : [[name, value] as const];
    });
    change({ body: { caps: Object.fromEntries(set) } });
  }
  return (
    <DialogForm onSave={save} onDone={onDone}>
      <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
        {CAPS.map(([name, period, unit]) => (
          <NumberField
            key={name}
            label={words.caps.names[period][unit]}
            value={values[name] ?? ""}
            whole={unit === "tokens"}
            least={unit === "tokens" ? 1 : 0.000001}
            onChange={(value) => setValues({ ...values, [name]: value })}
          />
        ))}
      </div>
    </DialogForm>
  );
}
