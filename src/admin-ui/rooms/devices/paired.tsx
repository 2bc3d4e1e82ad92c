import { Badge } from "@cloudflare/kumo/components/badge";
import { Button } from "@cloudflare/kumo/components/button";
import { PencilSimpleIcon } from "@phosphor-icons/react/dist/csr/PencilSimple";
import { TrashIcon } from "@phosphor-icons/react/dist/csr/Trash";
import { useState } from "react";
import type { PairedDevice } from "../../../protocol/admin-devices.ts";
import { ADMIN_API } from "../../../protocol/admin.ts";
import { pairingCode } from "../../../protocol/pairing.ts";
import { useAct } from "../../parts/act.ts";
import { Confirm } from "../../parts/confirm.tsx";
import { Facts, type Fact } from "../../parts/facts.tsx";
import { formatMoment } from "../../text/format.ts";
import { useSpoken, useText, useWords } from "../../text/text.tsx";
import { APP_WORDS } from "./app-words.ts";
import { RenameDialog } from "./rename.tsx";

export function PairedList({ devices }: { devices: PairedDevice[] }) {
  const text = useText();
  if (devices.length === 0) return <p>{text.devices.noPaired}</p>;
  return (
    <ul className="flex flex-col gap-4">
      {devices.map((device) => (
        <Paired key={device.deviceId} device={device} />
      ))}
    </ul>
  );
}

function Paired({ device }: { device: PairedDevice }) {
  const { text } = useSpoken();
  const { devices: words } = text;
  const [asking, setAsking] = useState<"rename" | "remove">();
  const approve = useAct(ADMIN_API.approveDevice, words.outcome.approve);
  const rename = useAct(ADMIN_API.renameDevice, words.outcome.rename);
  const remove = useAct(ADMIN_API.removeDevice, words.outcome.remove);
  const name = device.name ?? words.unnamed;
  const id = device.deviceId;
  return (
    <li className="border-kumo-line flex flex-col gap-3 border-t pt-4 first:border-t-0 first:pt-0">
      <div className="flex flex-wrap items-baseline justify-between gap-2">
        <p className="min-w-0 font-medium wrap-anywhere">
          {name} {device.recorded ? null : <Badge variant="warning">{words.unrecorded}</Badge>}
        </p>
        <p>
          <span className="text-kumo-subtle">{words.code} </span>
          <code>{pairingCode(id)}</code>
        </p>
      </div>
      {device.recorded ? null : <p className="text-kumo-subtle">{words.unrecordedHelp}</p>}
      <DeviceFacts device={device} />
      <div className="flex flex-wrap gap-2">
        {device.recorded ? null : (
          <Button
            variant="primary"
            loading={approve.busy}
            aria-label={words.of(words.approve, name)}
            onClick={() => approve({ id })}
          >
            {words.approve}
          </Button>
        )}
        <Button
          size="sm"
          icon={PencilSimpleIcon}
          loading={rename.busy}
          aria-label={words.of(words.rename, name)}
          onClick={() => setAsking("rename")}
        >
          {words.rename}
        </Button>
        <Button
          size="sm"
          variant="secondary-destructive"
          icon={TrashIcon}
          loading={remove.busy}
          aria-label={words.of(words.remove, name)}
          onClick={() => setAsking("remove")}
        >
          {words.remove}
        </Button>
      </div>
      <RenameDialog
        open={asking === "rename"}
        onOpenChange={() => setAsking(undefined)}
        name={name}
        onRename={(next) => rename({ id, body: { name: next } })}
      />
      <Confirm
        open={asking === "remove"}
        onOpenChange={() => setAsking(undefined)}
        title={words.removeTitle}
        text={words.removeText(name)}
        action={words.remove}
        onConfirm={() => remove({ id })}
      />
    </li>
  );
}

function DeviceFacts({ device }: { device: PairedDevice }) {
  const { text, language } = useSpoken();
  const apps = useWords(APP_WORDS);
  const { devices: words } = text;
  const approval = [
    ...(device.approvedAt === undefined ? [] : [formatMoment(device.approvedAt, language)]),
    ...(device.approvedBy === undefined ? [] : [words.by(device.approvedBy)]),
  ].join(" ");
  const facts: Fact[] = [
    ...(device.platform === undefined ? [] : [{ name: words.platform, value: device.platform }]),
    ...(approval === "" ? [] : [{ name: words.approved, value: approval }]),
    ...(device.lastSeenAt === undefined
      ? []
      : [{ name: apps.seen, value: formatMoment(device.lastSeenAt, language) }]),
  ];
  return facts.length === 0 ? null : <Facts facts={facts} />;
}
