import { Button } from "@cloudflare/kumo/components/button";
import { CHANNELS_API, type ApprovedSender } from "../../../protocol/admin-channels.ts";
import { useAct } from "../../parts/act.ts";
import { useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

export function SenderList({ senders }: { senders: ApprovedSender[] }) {
  const words = useWords(WORDS);
  if (senders.length === 0) return <p>{words.noSenders}</p>;
  return (
    <ul className="flex flex-col gap-3">
      {senders.map((sender) => (
        <SenderRow key={`${sender.channel} ${sender.id}`} sender={sender} />
      ))}
    </ul>
  );
}

function SenderRow({ sender }: { sender: ApprovedSender }) {
  const words = useWords(WORDS);
  const bar = useAct(CHANNELS_API.bar, words.barDone);
  const readmit = useAct(CHANNELS_API.readmit, words.readmitted);
  const { channel, id, name = id, barred } = sender;
  const act = barred ? readmit : bar;
  const verb = barred ? words.readmit : words.bar;
  return (
    <li className="flex flex-wrap items-center justify-between gap-2">
      <p className="min-w-0 wrap-anywhere">
        <span className="font-medium">{name}</span>{" "}
        <span className="text-kumo-subtle">
          {words.names[channel]} {id}
          {barred ? ` · ${words.barred}` : ""}
        </span>
      </p>
      <Button
        size="sm"
        loading={act.busy}
        aria-label={words.of(verb, name)}
        onClick={() => act({ body: { channel, id } })}
      >
        {verb}
      </Button>
    </li>
  );
}
