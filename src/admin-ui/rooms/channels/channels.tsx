import { Loader } from "@cloudflare/kumo/components/loader";
import { useChannels } from "../../live/queries.ts";
import { Card } from "../../parts/card.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { useText, useWords } from "../../text/text.tsx";
import { ChannelCard } from "./channel.tsx";
import { Inbox } from "./inbox.tsx";
import { Requests } from "./requests.tsx";
import { SenderList } from "./senders.tsx";
import { SetUp } from "./set-up.tsx";
import { WORDS } from "./words.ts";

/** The gateway tells of no new request: the room looks, while it is looked at. */
const REFRESH_MS = 5_000;

export function ChannelsRoom() {
  const text = useText();
  const words = useWords(WORDS);
  const channels = useChannels(REFRESH_MS);
  if (channels.data === undefined) {
    return channels.error === null ? (
      <Loader aria-label={text.loading} />
    ) : (
      <Trouble error={channels.error} retry={() => void channels.refetch()} />
    );
  }
  const { data } = channels;
  const present = data.channels.map(({ id }) => id);
  return (
    <>
      <p className="text-kumo-subtle">{words.about}</p>
      {data.channels.length === 0 ? <p>{words.none}</p> : null}
      {data.channels.map((channel) => (
        <ChannelCard key={channel.id} channel={channel} />
      ))}
      {data.channels.length === 0 ? null : (
        <>
          <Card title={words.requests}>
            <div aria-live="polite">
              <Requests pairing={data.pairing} />
            </div>
          </Card>
          <Card title={words.senders}>
            <SenderList senders={data.senders} />
          </Card>
        </>
      )}
      {data.channels.length === 0 && data.letters.length === 0 ? null : (
        <Card title={words.inbox}>
          <Inbox letters={data.letters} present={present} />
        </Card>
      )}
      <SetUp present={present} />
    </>
  );
}
