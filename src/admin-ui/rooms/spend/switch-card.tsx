import { Button } from "@cloudflare/kumo/components/button";
import { useId, useState, type ReactNode } from "react";
import { Card } from "../../parts/card.tsx";
import { useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

interface SwitchCardProps {
  text: { title: string; about: string; on: string };
  /** Whether it is on as things are. */
  on: boolean;
  busy: boolean;
  onSave(on: boolean): void;
  /** Fields with the bounds of what is switched. */
  children: ReactNode;
}

/** Something that is off until somebody switches it on, with its bounds below the switch. */
export function SwitchCard({ text, on, busy, onSave, children }: SwitchCardProps) {
  const { save } = useWords(WORDS);
  const box = useId();
  const [enabled, setEnabled] = useState(on);
  return (
    <Card title={text.title}>
      <p className="text-kumo-subtle mb-3">{text.about}</p>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          onSave(enabled);
        }}
      >
        <p className="flex items-center gap-2">
          <input
            id={box}
            type="checkbox"
            className="accent-kumo-brand size-5"
            checked={enabled}
            onChange={(event) => setEnabled(event.target.checked)}
          />
          <label htmlFor={box}>{text.on}</label>
        </p>
        <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">{children}</div>
        <div>
          <Button type="submit" loading={busy}>
            {save}
          </Button>
        </div>
      </form>
    </Card>
  );
}
