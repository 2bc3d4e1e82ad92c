import { Button } from "@cloudflare/kumo/components/button";
import {
  CHANNELS_API,
  type ChannelsView,
  type PairingRequest,
} from "../../../protocol/admin-channels.ts";
import { useAct } from "../../parts/act.ts";
import { useNow } from "../../parts/now.ts";
import { formatAgo } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

export function Requests({ pairing }: { pairing: ChannelsView["pairing"] }) {
  const words = useWords(WORDS);
  if (!pairing.known) return <p>{words.unasked}</p>;
  if (pairing.requests.length === 0) return <p>{words.noRequests}</p>;
  return (
    <ul className="flex flex-col gap-4">
      {pairing.requests.map((request) => (
        <Request key={request.requestId} request={request} />
      ))}
    </ul>
  );
}

function Request({ request }: { request: PairingRequest }) {
  const { language } = useSpoken();
  const now = useNow();
  const words = useWords(WORDS);
  const approve = useAct(CHANNELS_API.approve, words.approved);
  const dismiss = useAct(CHANNELS_API.dismiss, words.dismissed);
  const { channel, requestId, senderId, name = words.somebody, createdAt } = request;
  const body = { channel, requestId };
  return (
    <li className="flex flex-wrap items-center justify-between gap-2">
      <p className="min-w-0 wrap-anywhere">
        <span className="font-medium">{name}</span>{" "}
        <span className="text-kumo-subtle">
          {words.names[channel]} {senderId}
          {createdAt === undefined ? "" : ` · ${formatAgo(createdAt, now, language)}`}
        </span>
      </p>
      <div className="flex flex-wrap gap-2">
        <Button
          variant="primary"
          loading={approve.busy}
          aria-label={words.of(words.approve, name)}
          onClick={() => approve({ body })}
        >
          {words.approve}
        </Button>
        <Button
          loading={dismiss.busy}
          aria-label={words.of(words.dismiss, name)}
          onClick={() => dismiss({ body })}
        >
          {words.dismiss}
        </Button>
      </div>
    </li>
  );
}
