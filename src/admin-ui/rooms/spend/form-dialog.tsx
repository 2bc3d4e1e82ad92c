/** A dialog around one form. What was typed is gone with it, unless it was saved. */
import { Button } from "@cloudflare/kumo/components/button";
import { Dialog } from "@cloudflare/kumo/components/dialog";
import type { ReactNode } from "react";
import { useText, useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

export interface Opened {
  open: boolean;
  onOpenChange(open: boolean): void;
}

interface FormDialogProps extends Opened {
  title: string;
  help?: string;
  /** A component of its own, so that its state begins with the dialog. */
  children: ReactNode;
}

export function FormDialog({ open, onOpenChange, title, help, children }: FormDialogProps) {
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog className="p-6">
        <Dialog.Title className="text-kumo-default mb-2 text-lg font-semibold">
          {title}
        </Dialog.Title>
        {help === undefined ? null : (
          <Dialog.Description className="text-kumo-subtle mb-4">{help}</Dialog.Description>
        )}
        {children}
      </Dialog>
    </Dialog.Root>
  );
}

interface DialogFormProps {
  onSave(): void;
  onDone(): void;
  children: ReactNode;
}

export function DialogForm({ onSave, onDone, children }: DialogFormProps) {
  const text = useText();
  const words = useWords(WORDS);
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        onSave();
        onDone();
      }}
    >
      {children}
      <div className="mt-2 flex flex-wrap justify-end gap-2">
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
