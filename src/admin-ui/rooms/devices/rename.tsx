import { Button } from "@cloudflare/kumo/components/button";
import { Dialog } from "@cloudflare/kumo/components/dialog";
import { Input } from "@cloudflare/kumo/components/input";
import { useState } from "react";
import { useText } from "../../text/text.tsx";

const MAX_NAME = 80;

interface RenameProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  name: string;
  onRename(name: string): void;
}

export function RenameDialog({ open, onOpenChange, name, onRename }: RenameProps) {
  const text = useText();
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog className="p-6">
        <Dialog.Title className="text-kumo-default mb-4 text-lg font-semibold">
          {text.devices.renameTitle}
        </Dialog.Title>
        <RenameForm name={name} onRename={onRename} onDone={() => onOpenChange(false)} />
      </Dialog>
    </Dialog.Root>
  );
}

interface FormProps {
  name: string;
  onRename(name: string): void;
  onDone(): void;
}

function RenameForm({ name, onRename, onDone }: FormProps) {
  const text = useText();
  const [value, setValue] = useState(name);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onRename(value.trim());
        onDone();
      }}
    >
      <Input
        label={text.devices.newName}
        value={value}
        maxLength={MAX_NAME}
        required
        onChange={(event) => setValue(event.target.value)}
      />
      <div className="mt-6 flex flex-wrap justify-end gap-2">
        <Button type="button" onClick={onDone}>
          {text.cancel}
        </Button>
        <Button type="submit" variant="primary" disabled={value.trim() === ""}>
          {text.devices.save}
        </Button>
      </div>
    </form>
  );
}
