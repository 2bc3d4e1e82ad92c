import { Banner } from "@cloudflare/kumo/components/banner";
import { Button } from "@cloudflare/kumo/components/button";
import { WarningCircleIcon } from "@phosphor-icons/react/dist/csr/WarningCircle";
import { describe, describeAction, useText } from "../text/text.tsx";

interface TroubleProps {
  error: unknown;
  retry?: () => void;
  /** Of something that a button did. */
  action?: boolean;
}

/** An error where the content would have been, with the way to try again. */
export function Trouble({ error, retry, action = false }: TroubleProps) {
  const text = useText();
  return (
    <div role="alert">
      <Banner
        variant="error"
        icon={<WarningCircleIcon weight="fill" />}
        title={text.errors.title}
        description={action ? describeAction(error, text) : describe(error, text)}
        action={
          retry === undefined ? undefined : (
            <Button size="sm" onClick={retry}>
              {text.retry}
            </Button>
          )
        }
      />
    </div>
  );
}
