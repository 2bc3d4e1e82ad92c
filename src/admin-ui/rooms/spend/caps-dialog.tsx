import { Button } from "@cloudflare/kumo/components/button";
import { Dialog } from "@cloudflare/kumo/components/dialog";
import { useState } from "react";
import { SPEND_API } from "../../../protocol/spend.ts";
import type { CapSettings } from "../../../protocol/spend-settings.ts";
import { useAct } from "../../parts/act.ts";
import { useText, useWords } from "../../text/text.tsx";
import { NumberField, numberOf } from "./number-field.tsx";
import { WORDS } from "./words.ts";

const CAPS = [
  ["dayUsd", "day", "usd"],
  ["monthUsd", "month", "usd"],
  ["dayTokens", "day", "tokens"],
  ["monthTokens", "month", "tokens"],
] as const;

interface CapsDialogProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  caps: CapSettings;
}

export function CapsDialog({ open, onOpenChange, caps }: CapsDialogProps) {
  const { caps: words } = useWords(WORDS);
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog className="p-6">
        <Dialog.Title className="text-kumo-default mb-2 text-lg font-semibold">
          {words.changeTitle}
        </Dialog.Title>
        <Dialog.Description className="text-kumo-subtle mb-4">
          {words.changeHelp}
        </Dialog.Description>
        <CapsForm caps={caps} onDone={() => onOpenChange(false)} />
      </Dialog>
    </Dialog.Root>
  );
}

function CapsForm({ caps, onDone }: { caps: CapSettings; onDone(): void }) {
  const text = useText();
  const words = useWords(WORDS);
  const change = useAct(SPEND_API.change, words.caps.changed);
  const [values, setValues] = useState(() =>
    Object.fromEntries(CAPS.map(([name]) => [name, String(caps[name] ?? "")])),
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const set = CAPS.flatMap(([name]) => {
          const value = numberOf(values[name] ?? "");
          return value === undefined ? [] : [[name, value] as const];
        });
        change({ body: { caps: Object.fromEntries(set) } });
        onDone();
      }}
    >
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
      <div className="mt-6 flex flex-wrap justify-end gap-2">
        <Button type="button" onClick={onDone}>
          {text.cancel}
        </Button>
        <Button type="submit" variant="primary">
          {words.save}
        </Button>
      </div>
    </form>
  );
}
