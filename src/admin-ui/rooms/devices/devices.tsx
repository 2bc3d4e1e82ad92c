import { Empty } from "@cloudflare/kumo/components/empty";
import { Loader } from "@cloudflare/kumo/components/loader";
import { useDevices, useStatus } from "../../live/queries.ts";
import { Card } from "../../parts/card.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { useText } from "../../text/text.tsx";
import { PairedList } from "./paired.tsx";
import { PendingList } from "./pending.tsx";

export function DevicesRoom() {
  const text = useText();
  const status = useStatus();
  const ready = status.data?.phase === "ready";
  const devices = useDevices(ready);
  if (status.data !== undefined && !ready) {
    return <Empty title={text.phases[status.data.phase]} description={text.devices.notReady} />;
  }
  if (devices.data === undefined) {
    return devices.error === null ? (
      <Loader aria-label={text.loading} />
    ) : (
      <Trouble error={devices.error} retry={() => void devices.refetch()} />
    );
  }
  return (
    <>
      <Card title={text.devices.pending}>
        <div aria-live="polite">
          <PendingList devices={devices.data.pending} />
        </div>
      </Card>
      <Card title={text.devices.paired}>
        <PairedList devices={devices.data.paired} />
      </Card>
    </>
  );
}
