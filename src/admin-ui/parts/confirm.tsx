import { Button } from "@cloudflare/kumo/components/button";
import { Dialog } from "@cloudflare/kumo/components/dialog";
import type { ReactNode } from "react";
import { useText } from "../text/text.tsx";

interface ConfirmProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  title: string;
  text: string;
  /** The verb on the button that does it. */
  action: string;
  /** For a question about something that ends or removes nothing. */
  harmless?: boolean;
  onConfirm(): void;
  children?: ReactNode;
}

/** A question before something that cannot be taken back lightly; closing it does nothing. */
export function Confirm(props: ConfirmProps) {
  const text = useText();
  return (
    <Dialog.Root role="alertdialog" open={props.open} onOpenChange={props.onOpenChange}>
      <Dialog className="p-6">
        <Dialog.Title className="text-kumo-default mb-2 text-lg font-semibold">
          {props.title}
        </Dialog.Title>
        <Dialog.Description className="text-kumo-subtle">{props.text}</Dialog.Description>
        {props.children}
        <div className="mt-6 flex flex-wrap justify-end gap-2">
          <Button onClick={() => props.onOpenChange(false)}>{text.cancel}</Button>
          <Button
            variant={props.harmless === true ? "primary" : "destructive"}
            onClick={() => {
              props.onOpenChange(false);
              props.onConfirm();
            }}
          >
            {props.action}
          </Button>
        </div>
      </Dialog>
    </Dialog.Root>
  );
}
