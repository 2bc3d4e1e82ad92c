import { Button } from "@cloudflare/kumo/components/button";
import { ClipboardText } from "@cloudflare/kumo/components/clipboard-text";
import { Dialog } from "@cloudflare/kumo/components/dialog";
import { useWords } from "../../text/text.tsx";
import { lineWith } from "./patterns.ts";
import { WORDS } from "./words.ts";

interface HowToProps {
  host: string;
  allow: string | undefined;
}

/** Only a person with the deployment in hand can open a way out; the page says how. */
export function HowTo({ host, allow }: HowToProps) {
  const words = useWords(WORDS);
  const line = lineWith(allow, host);
  return (
    <div className="flex min-w-0 flex-col gap-3">
      <ul className="flex list-disc flex-col gap-1 pl-5">
        {words.how.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ul>
      <ClipboardText text={line} labels={{ copyAction: words.copy }} />
      <p className="text-kumo-subtle text-sm">{words.warning}</p>
    </div>
  );
}

interface AllowProps extends HowToProps {
  open: boolean;
  onOpenChange(open: boolean): void;
}

export function AllowDialog({ open, onOpenChange, host, allow }: AllowProps) {
  const words = useWords(WORDS);
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog className="p-6">
        <Dialog.Title className="text-kumo-default mb-3 text-lg font-semibold wrap-anywhere">
          {words.askTitle(host)}
        </Dialog.Title>
        <HowTo host={host} allow={allow} />
        <div className="mt-6 flex justify-end">
          <Button onClick={() => onOpenChange(false)}>{words.done}</Button>
        </div>
      </Dialog>
    </Dialog.Root>
  );
}
