import { Button } from "@cloudflare/kumo/components/button";
import { CheckIcon } from "@phosphor-icons/react/dist/csr/Check";
import { XIcon } from "@phosphor-icons/react/dist/csr/X";
import type { PendingDevice } from "../../../protocol/admin-devices.ts";
import { ADMIN_API } from "../../../protocol/admin.ts";
import { pairingCode } from "../../../protocol/pairing.ts";
import { useAct } from "../../parts/act.ts";
import { Facts, type Fact } from "../../parts/facts.tsx";
import { useNow } from "../../parts/now.ts";
import { formatAgo } from "../../text/format.ts";
import { useSpoken, useText } from "../../text/text.tsx";

export function PendingList({ devices }: { devices: PendingDevice[] }) {
  const { devices: words } = useText();
  if (devices.length === 0) {
    return (
      <>
        <p>{words.noPending}</p>
        <p className="text-kumo-subtle">{words.noPendingHelp}</p>
      </>
    );
  }
  return (
    <>
      <p className="text-kumo-subtle mb-3">{words.codeHelp}</p>
      <ul className="flex flex-col gap-4">
        {devices.map((device) => (
          <Pending key={device.deviceId} device={device} />
        ))}
      </ul>
    </>
  );
}

function Pending({ device }: { device: PendingDevice }) {
  const { text, language } = useSpoken();
  const now = useNow();
  const { devices: words } = text;
  const approve = useAct(ADMIN_API.approveDevice, words.outcome.approve);
  const reject = useAct(ADMIN_API.rejectDevice, words.outcome.reject);
  const name = device.name ?? words.unnamed;
  const id = device.deviceId;
  const facts: Fact[] = [
    { name: words.platform, value: device.platform ?? words.unknown },
    { name: words.address, value: device.address ?? words.unknown },
    ...(device.requestedAt === undefined
      ? []
      : [{ name: words.asked, value: formatAgo(device.requestedAt, now, language) }]),
  ];
  return (
    <li className="border-kumo-line flex flex-col gap-3 border-t pt-4 first:border-t-0 first:pt-0">
      <div className="flex flex-wrap items-baseline justify-between gap-2">
        <p className="min-w-0 font-medium wrap-anywhere">{name}</p>
        <p>
          <span className="text-kumo-subtle">{words.code} </span>
          <code className="text-lg tracking-wider">{pairingCode(id)}</code>
        </p>
      </div>
      <Facts facts={facts} />
      <div className="flex flex-wrap gap-2">
        <Button
          variant="primary"
          icon={CheckIcon}
          loading={approve.busy}
          aria-label={words.of(words.approve, name)}
          onClick={() => approve({ id })}
        >
          {words.approve}
        </Button>
        <Button
          icon={XIcon}
          loading={reject.busy}
          aria-label={words.of(words.reject, name)}
          onClick={() => reject({ id })}
        >
          {words.reject}
        </Button>
      </div>
    </li>
  );
}
