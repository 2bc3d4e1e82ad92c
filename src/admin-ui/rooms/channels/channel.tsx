import { Button } from "@cloudflare/kumo/components/button";
import { Input } from "@cloudflare/kumo/components/input";
import { useState } from "react";
import { CHANNELS_API, type ChannelView } from "../../../protocol/admin-channels.ts";
import { useAct } from "../../parts/act.ts";
import { Card } from "../../parts/card.tsx";
import { Facts, type Fact } from "../../parts/facts.tsx";
import { useNow } from "../../parts/now.ts";
import { formatAgo } from "../../text/format.ts";
import { useSpoken, useWords } from "../../text/text.tsx";
import { WORDS } from "./words.ts";

/** One platform in plain words, and a message to see that the way out works. */
export function ChannelCard({ channel }: { channel: ChannelView }) {
  const { language } = useSpoken();
  const now = useNow();
  const words = useWords(WORDS);
  const test = useAct(CHANNELS_API.test, words.tested);
  const [chat, setChat] = useState("");
  const { id, account, address, error } = channel;
  const advice = adviceFor(channel);
  const when = (at: number | undefined) =>
    at === undefined ? words.never : formatAgo(at, now, language);
  const facts: Fact[] = [
    { name: words.state, value: words.states[stateOf(channel)] },
    { name: words.way, value: words.ways[channel.way] },
    ...(account === undefined ? [] : [{ name: words.account, value: account }]),
    ...(address === undefined
      ? []
      : [{ name: words.addresses[addressOf(channel)], value: address }]),
    { name: words.policy, value: words.policies[channel.policy] },
    { name: words.lastIn, value: when(channel.lastInAt) },
    { name: words.lastOut, value: when(channel.lastOutAt) },
    { name: words.waiting, value: String(channel.waiting) },
    { name: words.given, value: String(channel.dead) },
    ...(error === undefined
      ? []
      : [
          {
            name: words.problem,
            value: `${error.message} (${formatAgo(error.at, now, language)})`,
          },
        ]),
    ...(advice === undefined ? [] : [{ name: words.advice, value: words.advices[advice] }]),
  ];
  return (
    <Card title={words.names[id]}>
      <Facts facts={facts} />
      <form
        className="mt-4 flex flex-wrap items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          test({ body: { channel: id, chat } });
        }}
      >
        <Input
          label={words.chat}
          value={chat}
          required
          onChange={(event) => setChat(event.target.value)}
        />
        <Button type="submit" loading={test.busy}>
          {words.test}
        </Button>
      </form>
    </Card>
  );
}

/** Nobody tells whether Slack sends its events here: the token may be good and the address unknown to it. */
function stateOf({ id, way, connection, lastInAt }: ChannelView) {
  const unheard = id === "slack" && way === "webhook" && lastInAt === undefined;
  return unheard && connection === "connected" ? "unheard" : connection;
}

/** Telegram is told the address by the Worker, Slack by a person. */
function addressOf({ id, connection }: ChannelView) {
  if (id === "slack") return "byHand";
  return connection === "connected" ? "registered" : "unregistered";
}

/** The most pressing first; undefined when all is well. */
function adviceFor({ connection, dead, error }: ChannelView) {
  if (connection === "failed") return "failed";
  if (dead > 0) return "dead";
  return error === undefined ? undefined : "trouble";
}
